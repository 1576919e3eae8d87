// What was decided, by path, and accept.json made of it.
const chosen = new Map();
const acceptable = new Map();
for (const finding of findings) acceptable.set(finding.path, finding.can_be_accepted);

// Storage can be forbidden: in files opened from disk, in private windows.
function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(about.key) || "{}");
    for (const choice of ["accept", "reject"]) {
      for (const path of kept[choice] || []) choose(path, choice);
    }
  } catch {
    $("forgetful").hidden = false;
  }
}

function keep(decisions) {
  try {
    localStorage.setItem(about.key, JSON.stringify(decisions));
  } catch {
    $("forgetful").hidden = false;
  }
}

// Whether the choice could be made.
function choose(path, choice) {
  const can = choice === "accept" ? acceptable.get(path) : acceptable.has(path);
  if (can) chosen.set(path, choice);
  return Boolean(can);
}

const paths = (choice) => [...chosen].filter((entry) => entry[1] === choice).map((entry) => entry[0]).sort();

let saved = null;

function showDecisions() {
  const decisions = { form: 1, manifest: about.manifest, accept: paths("accept"), reject: paths("reject") };
  const text = JSON.stringify(decisions, null, 1) + "\n";
  $("text").value = text;
  const link = $("save");
  if (saved) URL.revokeObjectURL(saved);
  saved = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.href = saved;
  const open = acceptable.size - chosen.size;
  $("tally").textContent = `${decisions.accept.length} accepted, ${decisions.reject.length} rejected, ${open} undecided`;
  return decisions;
}

async function copyText() {
  const area = $("text");
  area.select();
  try {
    await navigator.clipboard.writeText(area.value);
    say("Copied");
  } catch {
    say("The text is selected", "Copy it with the keys of your system");
  }
}

// What keys and buttons do.
function select(at, isStart) {
  const inList = list.contains(document.activeElement);
  current = Math.min(order.length - 1, Math.max(0, at));
  reveal();
  const { index } = order[current];
  if (inList) drawn.get(`f${index}`).firstChild.focus({ preventScroll: true });
  $("position").textContent = `${(current + 1).toLocaleString("en")} of ${order.length.toLocaleString("en")}`;
  showChoice();
  showFinding(index);
  if (!isStart) tell();
}

const finding = () => findings[order[current].index];

function tell() {
  const { path, verdict } = finding();
  const choice = { accept: "accepted", reject: "rejected" }[chosen.get(path)] || "undecided";
  say(`Finding ${current + 1} of ${order.length}`, visible(path), WORDS[verdict], choice);
}

function showChoice() {
  const choice = chosen.get(finding().path);
  const can = finding().can_be_accepted;
  $("accept").disabled = !can;
  $("undo").disabled = !choice;
  for (const name of ["accept", "reject"]) $(name).setAttribute("aria-pressed", String(choice === name));
  $("refusal").textContent = can ? "" : refusal();
}

function refusal() {
  return finding().verdict === "failed"
    ? "It cannot be accepted: nothing was drawn."
    : "It cannot be accepted: there is no new picture.";
}

function changed() {
  keep(showDecisions());
  showChoice();
  drawRows(true);
}

function decide(choice) {
  if (!choose(finding().path, choice)) return say(refusal().slice(0, -1));
  changed();
  tell();
}

function undo() {
  chosen.delete(finding().path);
  changed();
  tell();
}

// What is decided one by one stays.
function decideCause(c, choice) {
  const open = causes[c].findings.filter((index) => !chosen.has(findings[index].path));
  const done = open.filter((index) => choose(findings[index].path, choice)).length;
  changed();
  const word = choice === "accept" ? "accepted" : "rejected";
  say(`${done} of ${causes[c].findings.length} findings of this cause ${word}`, done < open.length ? `${open.length - done} cannot be accepted` : "");
}

function undoCause(c) {
  for (const index of causes[c].findings) chosen.delete(findings[index].path);
  changed();
  say("Decisions on this cause are undone");
}

function toggleOutlines() {
  shown.outlines = !shown.outlines;
  arrange();
  say(shown.outlines ? "Outlines are shown" : "Outlines are hidden");
}

const KEYS = {
  j: () => select(current + 1),
  k: () => select(current - 1),
  a: () => decide("accept"),
  r: () => decide("reject"),
  u: undo,
  A: () => decideCause(order[current].c, "accept"),
  R: () => decideCause(order[current].c, "reject"),
  U: () => undoCause(order[current].c),
  1: () => setView("side"),
  2: () => setView("swipe"),
  3: () => setView("blink"),
  4: () => setView("difference"),
  o: toggleOutlines,
  b: turnByHand,
  "?": () => $("help").showModal(),
};
Object.assign(KEYS, { n: KEYS.j, ArrowDown: KEYS.j, p: KEYS.k, ArrowUp: KEYS.k });

// The text can be read with keys, and a slider and a scrolled box have arrows of their own.
function isTaken(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return true;
  const { target } = event;
  if (target.tagName === "TEXTAREA") return true;
  if (!event.key.startsWith("Arrow")) return false;
  if (target.tagName === "INPUT") return true;
  if (!target.matches(".box, #differences")) return false;
  return ["ArrowUp", "ArrowDown"].includes(event.key)
    ? target.scrollHeight > target.clientHeight
    : target.scrollWidth > target.clientWidth;
}

// With the lock of capitals `a` comes as `A`, which would decide for a whole cause.
function nameOfKey({ key, shiftKey }) {
  if (!/^[a-z]$/i.test(key)) return key;
  return shiftKey ? key.toUpperCase() : key.toLowerCase();
}

function onKey(event) {
  if (isTaken(event)) return;
  if (stage.dataset.view === "swipe" && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
    swipeTo(Number($("slider").value) + (event.key === "ArrowLeft" ? -2 : 2));
    event.preventDefault();
    return;
  }
  const key = nameOfKey(event);
  if (!Object.hasOwn(KEYS, key)) return;
  event.preventDefault();
  KEYS[key]();
}

document.addEventListener("keydown", onKey);
list.addEventListener("scroll", () => drawRows(false), { passive: true });
new ResizeObserver(() => drawRows(false)).observe(list);
addEventListener("resize", arrange);
still.addEventListener("change", () => {
  blink(false);
  arrange();
});
for (const element of document.querySelectorAll("button[data-view]")) {
  element.addEventListener("click", () => setView(element.dataset.view));
}
for (const element of document.querySelectorAll("button[data-zoom]")) {
  element.addEventListener("click", () => {
    shown.zoom = Number(element.dataset.zoom);
    arrange();
  });
}
for (const { box } of both) box.addEventListener("scroll", follow, { passive: true });
stage.addEventListener("pointerdown", drag);
stage.addEventListener("pointermove", drag);
for (const part of [stage, $("differences")]) {
  part.addEventListener("pointerover", lightFrom);
  part.addEventListener("focusin", lightFrom);
  part.addEventListener("pointerleave", () => light());
}
$("accept").addEventListener("click", () => decide("accept"));
$("reject").addEventListener("click", () => decide("reject"));
$("undo").addEventListener("click", undo);
$("outlines").addEventListener("click", toggleOutlines);
$("turn").addEventListener("click", turnByHand);
$("slider").addEventListener("input", (event) => swipeTo(event.target.value));
$("copy").addEventListener("click", copyText);
$("help-open").addEventListener("click", () => $("help").showModal());

recall();
showDecisions();
layOut();
select(0, true);
document.documentElement.dataset.ready = "1";

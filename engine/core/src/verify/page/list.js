// The list by cause. Only rows in sight are elements: there may be ten thousand findings.
const ROW_PX = 50;
// A cause with more findings is closed at first, except for the first one.
const SHORT = 20;
const causes = about.causes.map((cause, i) => ({ ...cause, open: i === 0 || cause.findings.length <= SHORT }));
// Findings in the order of the list.
const order = causes.flatMap((cause, c) => cause.findings.map((index) => ({ index, c })));
const list = $("list");
let lines = [];
let current = 0;
const drawn = new Map();

function layOut() {
  lines = causes.flatMap((cause, c) => [{ c }, ...(cause.open ? cause.findings.map((index) => ({ c, index })) : [])]);
  $("rows").style.height = `${lines.length * ROW_PX}px`;
  drawRows(true);
}

// Draws what is in sight. Rows that stay keep their element, and with it the focus.
function drawRows(anew) {
  const first = Math.max(0, Math.floor(list.scrollTop / ROW_PX) - 5);
  const last = Math.min(lines.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW_PX) + 5);
  const wanted = new Set();
  for (let i = first; i < last; i += 1) wanted.add(nameOf(lines[i]));
  for (const [name, row] of drawn) {
    if (wanted.has(name)) continue;
    row.remove();
    drawn.delete(name);
  }
  let before = null;
  for (let i = first; i < last; i += 1) {
    const name = nameOf(lines[i]);
    const isNew = !drawn.has(name);
    if (isNew) drawn.set(name, lines[i].index === undefined ? causeRow(lines[i]) : findingRow(lines[i]));
    const row = drawn.get(name);
    if (isNew) before ? before.after(row) : $("rows").prepend(row);
    before = row;
    if (isNew || anew) update(row, lines[i], i);
  }
}

const nameOf = (line) => (line.index === undefined ? `c${line.c}` : `f${line.index}`);

function button(name, ...content) {
  const out = make("button", name, ...content);
  out.type = "button";
  return out;
}

function causeRow(line) {
  const cause = causes[line.c];
  const title = make("span", "", foreign(cause.title));
  const toggle = button("toggle", title, make("span", "count", cause.findings.length.toLocaleString("en")));
  toggle.title = visible(cause.title);
  toggle.addEventListener("click", () => openCause(line.c, !cause.open));
  const row = make("div", "row cause", toggle);
  for (const [choice, word] of [["accept", "Accept all"], ["reject", "Reject all"]]) {
    const whole = button("whole", word);
    whole.dataset.choice = choice;
    whole.setAttribute("aria-label", `${word} of this cause: ${visible(cause.title)}`);
    whole.disabled = choice === "accept" && !cause.findings.some((index) => findings[index].can_be_accepted);
    whole.addEventListener("click", () => decideCause(line.c, choice));
    row.append(whole);
  }
  return row;
}

function findingRow(line) {
  const finding = findings[line.index];
  const path = make("span", "", foreign(finding.path));
  const map = finding.map ? `${finding.map.cell_type} ${finding.map.region} ${finding.map.side} ${finding.map.metric} · ` : "";
  const said = make("span", "about", `${WORDS[finding.verdict]} · `, foreign(map + finding.message));
  const out = button("finding", path, said, make("span", "made"));
  out.title = `${visible(finding.path)}\n${visible(finding.message)}`;
  out.addEventListener("click", () => select(order.findIndex((entry) => entry.index === line.index)));
  return make("div", "row", out);
}

function update(row, line, i) {
  row.style.top = `${i * ROW_PX}px`;
  row.setAttribute("role", "listitem");
  row.setAttribute("aria-posinset", String(i + 1));
  row.setAttribute("aria-setsize", String(lines.length));
  if (line.index === undefined) {
    row.firstChild.setAttribute("aria-expanded", String(causes[line.c].open));
    return;
  }
  const choice = chosen.get(findings[line.index].path) || "";
  const made = row.querySelector(".made");
  made.className = `made ${choice}`;
  made.textContent = { accept: "✓ accepted", reject: "✗ rejected" }[choice] || "";
  const isCurrent = order[current].index === line.index;
  row.firstChild.setAttribute("aria-current", String(isCurrent));
  row.firstChild.tabIndex = isCurrent ? 0 : -1;
}

function openCause(c, open) {
  causes[c].open = open;
  layOut();
}

// Brings the current finding into sight; its cause opens for it.
function reveal() {
  const { index, c } = order[current];
  if (!causes[c].open) openCause(c, true);
  const top = lines.findIndex((line) => line.index === index) * ROW_PX;
  const above = top - ROW_PX;
  if (above < list.scrollTop) list.scrollTop = above;
  const below = top + ROW_PX - list.clientHeight;
  if (below > list.scrollTop) list.scrollTop = below;
  drawRows(true);
}

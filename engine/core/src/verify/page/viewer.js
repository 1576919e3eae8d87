// The selected finding: its two pictures in four views, and the table of its differences.
const stage = $("stage");
const approved = new Picture("approved");
const fresh = new Picture("new");
const both = [approved, fresh];
const still = matchMedia("(prefers-reduced-motion: reduce)");
const shown = { index: -1, view: "side", zoom: 0, outlines: true, note: "", pixels: "", blended: false, blinks: false };
let blinking = 0;
let turn = 0;

async function showFinding(index) {
  const finding = findings[index];
  const mine = (turn += 1);
  shown.index = index;
  document.querySelector(".viewer").scrollTop = 0;
  $("verdict").textContent = WORDS[finding.verdict];
  $("path").replaceChildren(foreign(finding.path));
  const map = finding.map;
  $("map").replaceChildren(map ? foreign(`${map.cell_type} ${map.region} ${map.side} ${map.metric}`) : "");
  $("message").replaceChildren(foreign(finding.message));
  fillTable(finding);
  shown.note = noteOf(finding);
  Object.assign(shown, { pixels: "", blended: false });
  await Promise.all(both.map((picture) => picture.load(index, () => mine === turn)));
  if (mine !== turn) return;
  const rings = ringsOf(finding);
  both.forEach((picture) => picture.size && picture.outline(rings, rings.size ? null : finding.pixels));
  arrange();
  stage.dataset.shows = index;
}

function noteOf(finding) {
  const notes = [];
  const { pixels, differences } = finding;
  if (pixels) {
    notes.push(`${counted(pixels.count, "pixel differs", "pixels differ")} of ${pixels.of.toLocaleString("en")}, at most by ${pixels.largest} of 255 steps.`);
  }
  if (differences.some((d) => d.layer !== null)) {
    notes.push("Pictures here show whole columns. What differs in layers is in the table.");
  }
  return notes.join(" ");
}

const paired = () => both.every((picture) => picture.size);
const view = () => (paired() ? shown.view : "side");

// Puts everything where view, zoom and window want it.
function arrange() {
  const now = view();
  stage.dataset.view = now;
  stage.classList.remove("blend");
  stage.classList.toggle("bare", !shown.outlines);
  for (const button of document.querySelectorAll("button[data-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === now));
    button.disabled = button.dataset.view !== "side" && !paired();
  }
  for (const button of document.querySelectorAll("button[data-zoom]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.zoom) === shown.zoom));
  }
  $("outlines").setAttribute("aria-pressed", String(shown.outlines));
  $("slider").hidden = now !== "swipe";
  $("turn").hidden = now !== "blink";
  scale(now);
  swipeTo($("slider").value);
  blink(now === "blink");
  if (now === "difference") difference();
  $("note").textContent = [shown.note, now === "difference" ? shown.pixels : ""].filter(Boolean).join(" ");
}

const canvasSize = () => [0, 1].map((side) => Math.max(1, ...both.map((picture) => (picture.size ? picture.size[side] : 1))));

function scale(now) {
  const [width, height] = canvasSize();
  const room = (stage.clientWidth - (now === "side" ? 16 : 0)) / (now === "side" ? 2 : 1) - 2;
  const fit = Math.min(room / width, roomBelow() / height, 3);
  const by = shown.zoom || Math.max(fit, 0.05);
  both.forEach((picture) => picture.place([width, height], by));
}

// What is in sight below the words, less a rest that shows that a table follows.
function roomBelow() {
  const viewer = document.querySelector(".viewer");
  if (getComputedStyle(viewer).overflowY !== "auto") return innerHeight * 0.7;
  const top = stage.getBoundingClientRect().top - viewer.getBoundingClientRect().top + viewer.scrollTop;
  return Math.max(viewer.clientHeight - top - ($("differences").hidden ? 40 : 140), 240);
}

function setView(name) {
  if (name !== "side" && !paired()) return say("This view needs both pictures");
  shown.view = name;
  blink(false);
  arrange();
  const words = document.querySelector(`button[data-view=${name}]`).firstChild.textContent.trim();
  say(`View: ${words}`);
}

function swipeTo(percent) {
  const at = Math.min(100, Math.max(0, Number(percent)));
  $("slider").value = at;
  $("slider").setAttribute("aria-valuetext", `approved up to ${Math.round(at)} percent, then new`);
  const on = stage.dataset.view === "swipe";
  fresh.box.style.clipPath = on ? `inset(0 0 0 ${at}%)` : "";
  $("divider").style.left = `${at}%`;
}

function drag(event) {
  if (stage.dataset.view !== "swipe" || !(event.buttons & 1)) return;
  const { left, width } = fresh.box.getBoundingClientRect();
  // So that the line follows beyond the picture too; events that a script makes have no pointer.
  if (event.type === "pointerdown" && event.isTrusted) stage.setPointerCapture(event.pointerId);
  swipeTo(((event.clientX - left) / width) * 100);
  event.preventDefault();
}

// Asked again while it is on, it lets a picture that was turned by hand be.
function blink(on) {
  if (on === shown.blinks) return;
  shown.blinks = on;
  clearInterval(blinking);
  if (!on) return;
  turnTo(true);
  if (!still.matches) blinking = setInterval(() => document.hidden || turnTo(), 500);
}

function turnTo(isNew = !stage.classList.contains("turned")) {
  stage.classList.toggle("turned", isNew);
}

function turnByHand() {
  if (stage.dataset.view !== "blink") return;
  clearInterval(blinking);
  turnTo();
  say(stage.classList.contains("turned") ? "New picture" : "Approved picture");
}

function difference() {
  stage.classList.toggle("blend", shown.blended);
  if (shown.pixels) return;
  try {
    shown.pixels = paintDifference(fresh.figure.querySelector("canvas"), approved, fresh, canvasSize());
  } catch {
    // Some browsers keep pixels of images to themselves; blending still shows what differs.
    shown.blended = true;
    stage.classList.add("blend");
    shown.pixels = "Black is equal. This browser cannot make small differences stronger.";
  }
}

const keyOf = (d) => d.at.join(" ");
const hasPlace = (d) => Array.isArray(d.at) && d.at.every(Number.isFinite);

function ringsOf(finding) {
  return new Map(finding.differences.filter(hasPlace).map((d) => [keyOf(d), d.at]));
}

function fillTable(finding) {
  const { differences, n_differences: all } = finding;
  const told = differences.length;
  const more = all > told ? `, the first ${told} are here` : "";
  $("differences-title").textContent = all ? `${counted(all, "difference", "differences")}${more}` : "";
  $("differences").hidden = !told;
  $("differences").scrollTop = 0;
  $("differences").querySelector("tbody").replaceChildren(...differences.map(rowOf));
}

function rowOf(d) {
  const row = make("tr", "");
  const what = d.kind.replaceAll("_", " ").replace("color", "colour");
  row.append(make("td", "", d.what ? `${what}: ` : what, foreign(d.what)));
  row.append(make("td", "", d.column ? where(d) : ""));
  row.append(make("td", "", foreign(d.layer === null ? "" : d.layer)));
  [d.before, d.after].forEach((text, i) => {
    const cell = make("td", "");
    if (d.fills) cell.append(swatch(d.fills[i]));
    cell.append(make("bdi", "", visibleLines(text)));
    row.append(cell);
  });
  if (hasPlace(d)) row.dataset.at = keyOf(d);
  return row;
}

// A button, so that keys can reach the outline too.
function where(d) {
  const name = d.column.join(", ");
  if (!hasPlace(d)) return name;
  const button = make("button", "", name);
  button.setAttribute("aria-label", `Column ${name}: show where it is`);
  return button;
}

function swatch(color) {
  const out = make("span", "swatch");
  out.setAttribute("role", "img");
  out.setAttribute("aria-label", `${color} `);
  out.title = color;
  if (/^#[0-9a-f]{6}$/i.test(color)) out.style.backgroundColor = color;
  return out;
}

// Rows and outlines of one place light up together.
function light(at) {
  for (const element of document.querySelectorAll(".viewer .lit")) element.classList.remove("lit");
  if (at === undefined) return;
  const places = document.querySelectorAll(".viewer circle.ring, .viewer tbody tr");
  for (const element of places) element.classList.toggle("lit", element.dataset.at === at);
}

function lightFrom(event) {
  const place = event.target.closest("[data-at]");
  light(place ? place.dataset.at : undefined);
  if (!place || place.tagName !== "circle") return;
  const [row, list] = [document.querySelector("tr.lit"), $("differences")];
  const top = row.offsetTop - list.querySelector("thead").offsetHeight;
  if (top < list.scrollTop || top > list.scrollTop + list.clientHeight * 0.8) list.scrollTop = top;
}

function follow(event) {
  for (const { box } of both) {
    if (box === event.target || (box.scrollLeft === event.target.scrollLeft && box.scrollTop === event.target.scrollTop)) continue;
    box.scrollTo({ left: event.target.scrollLeft, top: event.target.scrollTop, behavior: "instant" });
  }
}

// What the other parts share: the data of the page, elements, text that shows what it is.
const $ = (id) => document.getElementById(id);
const about = JSON.parse($("about").textContent);
const findings = JSON.parse($("findings").textContent);

const WORDS = {
  failed: "failed",
  differs: "differs",
  damaged: "reference damaged",
  missing: "not approved yet",
  orphaned: "orphaned",
};

// Control characters and marks of direction can make one name look like another.
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const visibleLines = (text) => text.replace(HIDDEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
const visible = (text) => visibleLines(text).replaceAll("\n", "\\n");

function make(tag, name, ...content) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...content);
  return element;
}

// Foreign text cannot change the direction of what is beside it.
const foreign = (text) => make("bdi", "", visible(text));

const counted = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

function say(...sentences) {
  $("status").textContent = sentences.filter(Boolean).join(". ") + ".";
}

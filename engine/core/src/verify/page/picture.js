// One picture: its image, its size in px of the canvas, and outlines over it.
const SVG = "http://www.w3.org/2000/svg";
// Half the width of the ring around a hexagon, in px of the canvas.
const RING = 9;
// More pixels are not compared: the browser would stand still.
const MOST_PIXELS = 4e6;

class Picture {
  constructor(which) {
    this.which = which;
    this.figure = document.querySelector(`[data-which=${which}]`);
    this.box = this.figure.querySelector(".box");
    this.frame = this.figure.querySelector(".frame");
    this.image = this.figure.querySelector("img");
    this.overlay = this.figure.querySelector("svg");
    this.size = null;
  }

  // Gives the size, or null if there is no picture. `isCurrent` says whether it is still asked for.
  async load(index, isCurrent) {
    const data = $(`${this.which}-${index}`);
    this.size = null;
    this.image.removeAttribute("src");
    this.overlay.replaceChildren();
    this.empty(data ? "" : findings[index].absences[this.which === "approved" ? 0 : 1]);
    if (!data) return;
    this.image.alt = `${this.which === "approved" ? "Approved" : "New"} picture of ${visible(findings[index].path)}`;
    this.image.src = `data:${data.type};base64,${data.textContent}`;
    try {
      await this.image.decode();
      if (isCurrent()) this.size = this.measure(data);
    } catch {
      if (isCurrent()) this.empty("The browser cannot show this picture: the file is damaged.");
    }
  }

  empty(why) {
    this.figure.classList.toggle("empty", Boolean(why));
    this.figure.querySelector(".absence").textContent = why ? visible(why) : "";
  }

  // An SVG says its canvas itself, to hundredths; a browser would round.
  measure(data) {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    if (data.type === "image/png") return [width / (about.png_scale || 1), height / (about.png_scale || 1)];
    const start = atob(data.textContent.slice(0, 4096)).match(/<svg[^>]*\sviewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"/);
    return start ? [Number(start[1]), Number(start[2])] : [width, height];
  }

  // Takes the room of a canvas, which may be larger than its own.
  place([width, height], scale) {
    Object.assign(this.frame.style, { width: `${width * scale}px`, height: `${height * scale}px` });
    this.overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (!this.size) return;
    Object.assign(this.image.style, { width: `${this.size[0] * scale}px`, height: `${this.size[1] * scale}px` });
  }

  outline(rings, pixels) {
    this.overlay.replaceChildren();
    const add = (tag, name, attributes) => {
      const shape = document.createElementNS(SVG, tag);
      shape.setAttribute("class", name);
      for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
      this.overlay.append(shape);
      return shape;
    };
    // Halos first: none covers the ring of a neighbour.
    for (const [cx, cy] of rings.values()) add("circle", "halo", { cx, cy, r: RING });
    for (const [key, [cx, cy]] of rings) add("circle", "ring", { cx, cy, r: RING }).dataset.at = key;
    if (pixels) {
      const [x, y, width, height] = pixels.bounds.map((n) => n / (about.png_scale || 1));
      add("rect", "bounds", { x, y, width, height });
    }
  }
}

// Paints what differs between two pictures; gives it in words. Throws where pixels cannot be read.
function paintDifference(canvas, before, after, [width, height]) {
  const png = before.image.src.startsWith("data:image/png") && after.image.src.startsWith("data:image/png");
  const wanted = png ? about.png_scale || 1 : 2;
  const scale = Math.min(wanted, Math.sqrt(MOST_PIXELS / (width * height)));
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const read = (picture) => {
    const context = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, w, h);
    context.drawImage(picture.image, 0, 0, picture.size[0] * scale, picture.size[1] * scale);
    return context.getImageData(0, 0, w, h);
  };
  const [old, now] = [read(before), read(after)];
  Object.assign(canvas, { width: w, height: h });
  const found = mark(old.data, now.data);
  canvas.getContext("2d").putImageData(now, 0, 0);
  if (!found.count) return "As drawn by this browser no pixel differs.";
  const share = `${found.count.toLocaleString("en")} of ${(w * h).toLocaleString("en")} pixels differ as drawn by this browser`;
  return `${share}, at most by ${found.largest} of 255 steps. Small differences are shown strongly.`;
}

// Writes into `now`: what is equal becomes pale and grey, what differs magenta, never fainter than half.
function mark(old, now) {
  let [count, largest] = [0, 0];
  for (let i = 0; i < now.length; i += 4) {
    const by = Math.max(
      Math.abs(now[i] - old[i]),
      Math.abs(now[i + 1] - old[i + 1]),
      Math.abs(now[i + 2] - old[i + 2]),
    );
    const pale = 210 + 0.175 * (0.3 * now[i] + 0.6 * now[i + 1] + 0.1 * now[i + 2]);
    const strength = by ? 0.5 + by / 510 : 0;
    now[i] = pale + strength * (214 - pale);
    now[i + 1] = pale * (1 - strength);
    now[i + 2] = pale + strength * (127 - pale);
    if (by) count += 1;
    if (by > largest) largest = by;
  }
  return { count, largest };
}

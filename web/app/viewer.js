// The picture of a page with a box around every line. Zoom and scroll; hover and click name a line.

import { h, iconButton, s } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const STEP = 1.3; // one press of the zoom buttons
const MAX_ZOOM = 10;
const MAX_ENLARGED = 2.5; // a small crop is not blown up beyond this to fill the pane
const UNSURE_LINE = 0.8; // mean confidence below which a box is drawn as uncertain

export class Viewer {
  #page = null;
  #zoom = 1;
  #shapes = [];
  #on;
  #boxes = true;
  #selected = null;

  /** `on.hover(index|null)` and `on.select(index)` hear of the line under the pointer. `tools` go into the bar. */
  constructor(on, tools) {
    this.#on = on;
    this.image = h("img", { alt: "" });
    this.image.draggable = false;
    this.overlay = s("svg", { class: "overlay", "aria-hidden": "true", preserveAspectRatio: "none" });
    this.turn = h("div", { class: "turn" }, this.image, this.overlay);
    this.sheet = h("div", { class: "sheet-holder" }, this.turn);
    this.note = h("p", { class: "pane-note", hidden: true });
    this.stage = h("div", { class: "stage", tabIndex: 0 }, this.sheet, this.note);
    this.bar = h("div", { class: "pane-bar" });
    this.element = h("section", { class: "pane picture" }, this.bar, this.stage);
    this.tools = tools;
    this.#buildBar();
    this.#wire();
    onLanguage(() => this.#buildBar());
  }

  /** Show a page's picture (`url`, or null where there is none) and, once it is read, its boxes. */
  show(url, page) {
    const fresh = this.image.getAttribute("src") !== url;
    const turned = page !== this.#page;
    this.note.hidden = true;
    this.sheet.hidden = !url && !page;
    if (!fresh && !turned) return; // news of the job, none of this page: marks and scroll stay
    if (turned) this.#selected = null;
    this.#page = page;
    if (fresh) {
      this.#zoom = 1;
      if (url) this.image.src = url;
      else this.image.removeAttribute("src");
    }
    this.image.hidden = !url;
    this.#drawBoxes();
    this.#fit();
  }

  /** Say something in place of the picture. */
  say(text) {
    this.sheet.hidden = true;
    this.note.hidden = false;
    this.note.textContent = text;
  }

  /** Mark the line `index` (or none); with `reveal`, bring its box into view. */
  mark(kind, index, reveal = false) {
    if (kind === "selected") this.#selected = index;
    this.#shapes.forEach((shape, at) => shape?.classList.toggle(kind, at === index));
    const shape = this.#shapes[index];
    if (!shape) return;
    // The selected box lies on top of its neighbours. Not the hovered one: moving it under the pointer would eat the click.
    if (kind === "selected" && this.overlay.lastChild !== shape) this.overlay.append(shape);
    if (reveal) this.#reveal(shape);
  }

  /** A canvas with the line `index` cut out and set level, or null while there is no picture. */
  cut(index, height) {
    const line = this.#page?.lines[index];
    if (!line?.box || !this.image.naturalWidth || this.image.hidden) return null;
    return line.vertical ? this.#cutColumn(line, height) : this.#cutLine(line.box, height);
  }

  #cutLine(box, height) {
    const [[x0, y0], [x1, y1], , [x3, y3]] = box;
    const across = Math.hypot(x1 - x0, y1 - y0);
    const down = Math.hypot(x3 - x0, y3 - y0);
    if (across < 1 || down < 1) return null;
    const pad = 0.08 * down; // some paper around the line
    const scale = height / (down + 2 * pad);
    const canvas = h("canvas", { width: Math.min(4000, Math.round((across + 2 * pad) * scale)), height: Math.round(height) });
    const [ux, uy, vx, vy] = [(x1 - x0) / across, (y1 - y0) / across, (x3 - x0) / down, (y3 - y0) / down];
    const corner = [x0 - pad * (ux + vx), y0 - pad * (uy + vy)];
    const onPage = new DOMMatrix([ux / scale, uy / scale, vx / scale, vy / scale, ...corner]);
    const context = canvas.getContext("2d");
    context.setTransform(onPage.inverse());
    context.drawImage(this.image, 0, 0, this.#page.width, this.#page.height);
    return canvas;
  }

  // A column's characters stand upright, one under the other and nearly always at one pitch: the cut-out has them side by
  // side, so that they can be read beside their text.
  #cutColumn(line, height) {
    const [xs, ys] = [line.box.map((point) => point[0]), line.box.map((point) => point[1])];
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    const [wide, tall] = [Math.max(...xs) - x, Math.max(...ys) - y];
    const count = Math.max(1, [...line.text.replaceAll(/\s/g, "")].length);
    const pitch = tall / count;
    const width = Math.round((height * wide) / Math.max(1, pitch));
    const canvas = h("canvas", { width: Math.min(4000, width * count), height: Math.round(height) });
    const context = canvas.getContext("2d");
    const [scaleX, scaleY] = [this.image.naturalWidth / this.#page.width, this.image.naturalHeight / this.#page.height];
    for (let place = 0; place < count; place += 1) {
      context.drawImage(this.image, x * scaleX, (y + place * pitch) * scaleY, wide * scaleX, pitch * scaleY, place * width, 0, width, height);
    }
    return canvas;
  }

  #buildBar() {
    const toggle = iconButton("boxes", t("showBoxes"), () => {
      this.#boxes = !this.#boxes;
      toggle.setAttribute("aria-pressed", String(this.#boxes));
      this.element.classList.toggle("bare", !this.#boxes);
    }, { "aria-pressed": String(this.#boxes) });
    this.stage.setAttribute("aria-label", t("picture"));
    this.bar.replaceChildren(
      this.tools,
      h("span", { class: "spring" }),
      toggle,
      iconButton("minus", t("zoomOut"), () => this.#setZoom(this.#zoom / STEP)),
      iconButton("fit", t("zoomFit"), () => this.#setZoom(1)),
      iconButton("plus", t("zoomIn"), () => this.#setZoom(this.#zoom * STEP)),
    );
  }

  #wire() {
    new ResizeObserver(() => this.#fit()).observe(this.stage);
    this.image.addEventListener("load", () => this.#fit());
    this.image.addEventListener("error", () => { this.image.hidden = true; this.#drawBoxes(); this.#fit(); });
    this.stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.#setZoom(this.#zoom * Math.exp(-event.deltaY / 300), event);
    }, { passive: false });
    this.stage.addEventListener("dblclick", (event) => this.#setZoom(this.#zoom > 1.01 ? 1 : 2.5, event));
    this.stage.addEventListener("keydown", (event) => {
      if (event.key === "+" || event.key === "=") this.#setZoom(this.#zoom * STEP);
      else if (event.key === "-") this.#setZoom(this.#zoom / STEP);
      else if (event.key === "0") this.#setZoom(1);
    });
    this.#dragging();
    this.overlay.addEventListener("pointerover", (event) => this.#on.hover(this.#indexOf(event.target)));
    this.overlay.addEventListener("pointerleave", () => this.#on.hover(null));
    this.overlay.addEventListener("click", (event) => {
      const index = this.#indexOf(event.target);
      if (index !== null && !this.dragged) this.#on.select(index);
    });
  }

  // A mouse drags the enlarged picture; touch scrolls it by itself.
  #dragging() {
    let from = null;
    this.stage.addEventListener("pointerdown", (event) => {
      this.dragged = false;
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      from = { x: event.clientX, y: event.clientY, left: this.stage.scrollLeft, top: this.stage.scrollTop };
    });
    window.addEventListener("pointermove", (event) => {
      if (!from) return;
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > 4) this.dragged = true;
      if (this.dragged) this.stage.scrollTo(from.left - event.clientX + from.x, from.top - event.clientY + from.y);
    });
    window.addEventListener("pointerup", () => { from = null; });
  }

  #indexOf(target) {
    const box = target.closest?.("[data-line]");
    return box ? Number(box.dataset.line) : null;
  }

  // The size of the page in its own pixels: as read, or as the local file has it.
  get #size() {
    return [this.#page?.width || this.image.naturalWidth, this.#page?.height || this.image.naturalHeight];
  }

  #fit() {
    const [width, height] = this.#size;
    if (!width || !height || !this.stage.clientWidth) return;
    const rotation = this.#page?.rotation ?? 0; // shown upright
    const [seenWidth, seenHeight] = rotation % 180 ? [height, width] : [width, height];
    const roomWidth = this.stage.clientWidth - 32;
    const roomHeight = this.stage.clientHeight - 32;
    const byWidth = roomWidth / seenWidth;
    // A long receipt is fitted to half the width rather than made unreadably narrow.
    const fit = Math.min(byWidth, Math.max(roomHeight / seenHeight, byWidth * 0.5), MAX_ENLARGED);
    const scale = fit * this.#zoom;
    const [w, ht] = [width * scale, height * scale];
    Object.assign(this.sheet.style, { width: `${seenWidth * scale}px`, height: `${seenHeight * scale}px` });
    const moves = { 0: "none", 90: `translate(${ht}px, 0) rotate(90deg)`, 180: `translate(${w}px, ${ht}px) rotate(180deg)`, 270: `translate(0, ${w}px) rotate(270deg)` };
    Object.assign(this.turn.style, { width: `${w}px`, height: `${ht}px`, transform: moves[rotation] ?? "none" });
  }

  #setZoom(zoom, at = null) {
    const stage = this.stage.getBoundingClientRect();
    const sheet = this.sheet.getBoundingClientRect();
    const [x, y] = at ? [at.clientX, at.clientY] : [stage.left + stage.width / 2, stage.top + stage.height / 2];
    const [shareX, shareY] = [(x - sheet.left) / (sheet.width || 1), (y - sheet.top) / (sheet.height || 1)];
    this.#zoom = Math.min(MAX_ZOOM, Math.max(0.5, zoom));
    this.#fit();
    const after = this.sheet.getBoundingClientRect(); // what was under the pointer stays under it
    this.stage.scrollBy(after.left + shareX * after.width - x, after.top + shareY * after.height - y);
  }

  #drawBoxes() {
    const [width, height] = this.#size;
    const lines = this.#page?.lines ?? [];
    this.overlay.setAttribute("viewBox", `0 0 ${width || 1} ${height || 1}`);
    this.#shapes = lines.map((line, index) => {
      if (!line.box) return null;
      const unsure = line.confidence < UNSURE_LINE ? " unsure" : "";
      const points = line.box.map((point) => point.join(",")).join(" ");
      // A light edge under the coloured one: the box shows on any picture.
      return s("g", { class: `box${unsure}`, "data-line": index }, s("polygon", { points, class: "edge" }), s("polygon", { points, class: "frame" }));
    });
    const words = this.image.hidden ? lines.map((line) => this.#inPlace(line)) : [];
    this.overlay.replaceChildren(...words.filter(Boolean), ...this.#shapes.filter(Boolean));
    if (this.#selected !== null) this.mark("selected", this.#selected);
  }

  // Without a picture the text itself stands where it was found.
  #inPlace({ box, text }) {
    if (!box || !text) return null;
    const [[x0, y0], [x1, y1], , [x3, y3]] = box;
    const tall = Math.hypot(x3 - x0, y3 - y0);
    const angle = (Math.atan2(y1 - y0, x1 - x0) * 180) / Math.PI;
    const node = s("text", {
      transform: `translate(${x0 + (x3 - x0) * 0.78} ${y0 + (y3 - y0) * 0.78}) rotate(${angle})`, "font-size": tall * 0.72,
      textLength: Math.max(1, Math.hypot(x1 - x0, y1 - y0)), lengthAdjust: "spacingAndGlyphs",
    });
    node.textContent = text;
    return node;
  }

  #reveal(shape) {
    const box = shape.getBoundingClientRect();
    const stage = this.stage.getBoundingClientRect();
    const inside = box.left >= stage.left && box.right <= stage.right && box.top >= stage.top && box.bottom <= stage.bottom;
    if (inside) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.stage.scrollBy({
      left: Math.min(box.left - stage.left - 24, (box.left + box.right - stage.left - stage.right) / 2),
      top: (box.top + box.bottom - stage.top - stage.bottom) / 2,
      behavior: calm ? "auto" : "smooth",
    });
  }
}

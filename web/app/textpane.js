// The text of a page: line by line with uncertain characters marked, or plain. Hover and click name a line.

import { h, iconButton } from "./dom.js";
import { onLanguage, percent, t } from "./i18n.js";

const UNSURE = 0.8; // a character below this is marked
const DOUBTFUL = 0.5; // and below this, more strongly
const CUT_HEIGHT_PX = 44; // of the picture of the selected line

export class TextPane {
  #page = null;
  #selected = null;
  #plain = false;
  #on;
  #said = null;

  /** `on.hover(index|null)`, `on.select(index|null)`, `on.cut(index, height)` (a canvas or null), `on.copy(text)`. */
  constructor(on) {
    this.#on = on;
    this.bar = h("div", { class: "pane-bar" });
    this.list = h("ol", { class: "lines" });
    this.plain = h("pre", { class: "plain-text", tabIndex: 0, hidden: true });
    this.note = h("p", { class: "pane-note", hidden: true });
    this.body = h("div", { class: "pane-body" }, this.list, this.plain, this.note);
    this.element = h("section", { class: "pane words" }, this.bar, this.body);
    this.#wire();
    onLanguage(() => this.#render());
    this.#render();
  }

  /** Show a page's lines. */
  show(page) {
    if (page === this.#page) return;
    this.#page = page;
    this.#selected = null;
    this.#said = null;
    this.body.scrollTop = 0;
    this.#render();
  }

  /** Say something in place of the lines: `key` is a word, or a function that gives a sentence. */
  say(key) {
    this.#page = null;
    this.#said = key;
    this.#render();
  }

  /** Mark the line under the pointer. */
  hover(index) {
    for (const [at, item] of [...this.list.children].entries()) item.classList.toggle("hover", at === index);
  }

  /** Select a line; with `reveal`, bring it into view. */
  select(index, reveal = false) {
    const before = this.list.children[this.#selected];
    before?.classList.remove("selected");
    before?.querySelector(".detail")?.remove();
    before?.removeAttribute("aria-current");
    this.#selected = index;
    const item = this.list.children[index];
    if (!item) return;
    item.classList.add("selected");
    item.setAttribute("aria-current", "true");
    item.append(this.#detail(index));
    if (reveal) item.scrollIntoView({ block: "nearest" });
  }

  #wire() {
    const at = (event) => {
      const item = event.target.closest?.("li[data-line]");
      return item ? Number(item.dataset.line) : null;
    };
    this.list.addEventListener("pointerover", (event) => this.#on.hover(at(event)));
    this.list.addEventListener("pointerleave", () => this.#on.hover(null));
    this.list.addEventListener("click", (event) => {
      if (event.target.closest("button") || !getSelection().isCollapsed) return; // text is being selected, not a line
      const index = at(event);
      if (index !== null) this.#on.select(index === this.#selected ? null : index);
    });
    this.list.addEventListener("keydown", (event) => {
      const index = at(event);
      if (index === null || event.target.closest("button")) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        this.#on.select(index === this.#selected ? null : index);
      }
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.list.children[index + step]?.focus();
    });
    this.list.addEventListener("focusin", (event) => this.#on.hover(at(event)));
  }

  #render() {
    const lines = this.#page?.lines ?? [];
    this.#buildBar(lines);
    this.list.replaceChildren(...lines.map((line, index) => this.#row(line, index)));
    this.plain.textContent = this.#page?.text ?? "";
    this.list.hidden = this.#plain || !lines.length;
    this.plain.hidden = !this.#plain || !lines.length;
    const said = this.#said ?? (this.#page && !lines.length ? "noText" : null);
    this.note.hidden = said === null;
    this.note.textContent = typeof said === "function" ? said() : said ? t(said) : "";
    if (this.#selected !== null) this.select(this.#selected);
  }

  #buildBar(lines) {
    const tab = (plain, word) => h("button", {
      type: "button", class: "tab", "aria-pressed": String(this.#plain === plain),
      onclick: () => { this.#plain = plain; this.#render(); },
    }, t(word));
    const unsure = lines.reduce((sum, line) => sum + (line.chars ?? []).filter(isUnsure).length, 0);
    this.bar.replaceChildren(
      h("div", { class: "tabs", role: "group", "aria-label": t("text") }, tab(false, "linesTab"), tab(true, "plainTab")),
      h("span", { class: "spring" }),
      h("span", { class: "unsure-count", title: t("unsure") }, unsure ? t("unsureCount", { n: unsure }) : ""),
    );
  }

  #row(line, index) {
    return h("li", { data: { line: index }, tabIndex: 0 }, h("span", { class: "line-text", dir: "auto" }, ...marked(line)));
  }

  #detail(index) {
    const line = this.#page.lines[index];
    const facts = [t("confidence", { percent: percent(line.confidence) })];
    if (line.engine) facts.push(t("readBy", { engine: line.engine }));
    const doubts = (line.chars ?? []).filter((char) => isUnsure(char) && char.text.trim());
    return h("div", { class: "detail" },
      this.#on.cut(index, CUT_HEIGHT_PX * devicePixelRatio),
      doubts.length ? h("ul", { class: "doubts" }, doubts.map((char) => h("li", {}, h("b", {}, char.text), ` ${explain(char)}`))) : null,
      h("p", { class: "facts" }, h("span", {}, facts.join(" · ")), iconButton("copy", t("copyLine"), () => this.#on.copy(line.text))));
  }
}

const isUnsure = (char) => char.confidence < UNSURE && char.text !== " ";

function explain(char) {
  const others = (char.alternatives ?? []).map((other) => `${other.text} ${percent(other.confidence)}`).join(", ");
  const sure = t("confidence", { percent: percent(char.confidence) });
  return others ? `${sure}, ${t("alternatives", { list: others })}` : sure;
}

// The line's text as nodes, runs of certain characters together. Where the characters do not spell the text, it stays plain.
function marked(line) {
  const chars = line.chars ?? [];
  if (!chars.length || chars.map((char) => char.text).join("") !== line.text) return [line.text];
  const nodes = [];
  let run = "";
  for (const char of chars) {
    if (!isUnsure(char)) {
      run += char.text;
      continue;
    }
    if (run) nodes.push(run);
    run = "";
    nodes.push(h("mark", { class: char.confidence < DOUBTFUL ? "doubtful" : "unsure", title: explain(char) }, char.text));
  }
  if (run) nodes.push(run);
  return nodes;
}

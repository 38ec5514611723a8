// The text of a page: line by line with uncertain characters marked, plain, or as the fields of a form. Hover and click
// name a line.

import { h, iconButton } from "./dom.js";
import { FieldsPane } from "./fieldspane.js";
import { currentLanguage, onLanguage, percent, t } from "./i18n.js";

const UNSURE = 0.8; // a character below this is marked
const DOUBTFUL = 0.5; // and below this, more strongly
const LINES_TO_COME = 6; // grey lines that stand for the text of a page not read yet
const ROW_SHARE = 0.86; // of the pane's width, for lines side by side: the last one needs room for its text
const COLUMN_GAP = 1.2; // line heights between two lines from which on they are columns
const CUT_HEIGHT_PX = 44; // of the picture of the selected line

export class TextPane {
  #page = null;
  #selected = null;
  #view = "lines"; // or "plain", or "fields"
  #items = [];
  #on;
  #said = null;
  #fieldsOf = null;

  /** `on.hover(index|null)`, `on.select(index|null)`, `on.cut(index, height)` (a canvas or null),
   * `on.copy(text)`, `on.correct(index, text)`, `on.said(index)` (what a person put in place of the line, or undefined),
   * `on.plain()` (the page's text), `on.point(field|null)` and `on.choose(field)` (of a form). */
  constructor(on) {
    this.#on = on;
    this.bar = h("div", { class: "pane-bar" });
    this.list = h("ol", { class: "lines" });
    this.plain = h("pre", { class: "plain-text", tabIndex: 0, hidden: true });
    this.note = h("p", { class: "pane-note", hidden: true });
    this.warnings = h("ul", { class: "warnings" });
    this.fields = new FieldsPane({ point: on.point, choose: on.choose, copy: on.copy });
    this.body = h("div", { class: "pane-body" }, this.list, this.plain, this.fields.element, this.note, this.warnings, h("div", { class: "to-come", "aria-hidden": "true" }, Array.from({ length: LINES_TO_COME }, () => h("span"))));
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

  /** Offer the fields of a form beside the lines: of the job with this id, which has ended; null offers none. */
  offerFields(id) {
    if (id === this.#fieldsOf) return;
    this.#fieldsOf = id;
    if (this.#view === "fields") this.#render();
    else this.#buildBar(this.#page?.lines ?? []); // somebody may be correcting a line
  }

  /** Say something in place of the lines: `key` is a word, or a function that gives a sentence. */
  say(key) {
    this.#page = null;
    this.#said = key;
    this.#render();
  }

  /** Mark the line under the pointer. */
  hover(index) {
    this.#items.forEach((item, at) => item.classList.toggle("hover", at === index));
  }

  /** Select a line; with `reveal`, bring it into view. */
  select(index, reveal = false) {
    const before = this.#items[this.#selected];
    before?.classList.remove("selected");
    before?.setAttribute("aria-pressed", "false");
    this.list.querySelector(".detail")?.remove();
    this.#selected = index;
    const item = this.#items[index];
    if (!item) return;
    item.classList.add("selected");
    item.setAttribute("aria-pressed", "true");
    const row = item.closest("li");
    row.append(this.#detail(index));
    if (reveal) row.scrollIntoView({ block: "nearest" });
  }

  #wire() {
    const at = (event) => {
      const item = event.target.closest?.("[data-line]");
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
      this.#items[index + step]?.focus();
    });
    this.list.addEventListener("change", (event) => {
      const index = event.target.dataset.correct;
      if (index !== undefined) this.#correct(Number(index), event.target.value);
    });
    this.list.addEventListener("focusin", (event) => this.#on.hover(at(event)));
  }

  #render() {
    const lines = this.#page?.lines ?? [];
    this.#buildBar(lines);
    this.#items = lines.map((line, index) => this.#item(line, index));
    const places = placesOf(lines);
    this.list.replaceChildren(...rowsOf(this.#page).map((row) => row.table ? this.#table(row.table) : h("li", {}, row.map((index, at) => {
      const cell = h("div", { class: "cell" }, this.#items[index]);
      const next = row[at + 1];
      if (next !== undefined && places && apart(lines[index], lines[next])) {
        cell.style.minWidth = `${Math.max(0, places[next] - (at ? places[index] : 0)) * ROW_SHARE * 100}%`;
      }
      return cell;
    }))));
    this.plain.textContent = this.#page ? this.#on.plain() : "";
    const fieldsOf = this.#view === "fields" ? this.#fieldsOf : null;
    this.list.hidden = this.#view === "plain" || Boolean(fieldsOf) || !lines.length;
    this.plain.hidden = this.#view !== "plain" || !lines.length;
    this.fields.show(fieldsOf);
    this.warnings.replaceChildren(...((currentLanguage() === "zh" && this.#page?.warnings_zh) || this.#page?.warnings || []).map((warning) => h("li", {}, String(warning))));
    const said = this.#said ?? (this.#page && !lines.length ? "noText" : null);
    this.note.textContent = typeof said === "function" ? said() : said ? t(said) : "";
    this.note.hidden = Boolean(fieldsOf) || !this.note.textContent;
    if (this.#selected !== null) this.select(this.#selected);
  }

  // A table as on the page, its lines in their cells.
  #table(table) {
    const rows = Array.from({ length: table.rows }, () => h("tr"));
    for (const cell of table.cells) {
      rows[cell.row].append(h("td", { rowSpan: cell.rows, colSpan: cell.columns }, cell.lines.map((index) => this.#items[index])));
    }
    return h("li", { class: "table" },
      h("div", { class: "table-holder" }, h("table", {}, h("tbody", {}, rows))),
      iconButton("copy", t("copyTable"), () => this.#on.copy(this.#tabbed(table))));
  }

  // With tabs between its cells, as spreadsheets take it from the clipboard.
  #tabbed(table) {
    const grid = Array.from({ length: table.rows }, () => Array(table.columns).fill(""));
    const said = (index) => this.#on.said(index);
    for (const cell of table.cells) {
      const changed = cell.lines.some((index) => said(index) !== undefined);
      const text = changed ? cell.lines.map((index) => said(index) ?? this.#page.lines[index].text).join(" ") : cell.text;
      grid[cell.row][cell.column] = text.replaceAll(/\s+/g, " ");
    }
    return grid.map((row) => row.join("\t")).join("\n");
  }

  #correct(index, text) {
    this.#on.correct(index, text.trim());
    this.#render();
    this.#items[index]?.focus();
  }

  #buildBar(lines) {
    const tab = (view, word) => h("button", {
      type: "button", class: "tab", data: { view }, "aria-pressed": String(shown === view),
      onclick: () => { this.#view = view; this.#render(); },
    }, t(word));
    const fields = Boolean(this.#fieldsOf);
    const shown = this.#view === "fields" && !fields ? "lines" : this.#view;
    const changed = lines.filter((line, index) => this.#on.said(index) !== undefined).length;
    const unsure = lines.reduce((sum, line) => sum + (line.chars ?? []).filter(isUnsure).length, 0);
    this.bar.replaceChildren(
      h("div", { class: "tabs", role: "group", "aria-label": t("text") }, tab("lines", "linesTab"), tab("plain", "plainTab"), fields ? tab("fields", "fieldsTab") : null),
      h("span", { class: "spring" }),
      h("span", { class: "changed-count", title: t("changedWhere") }, changed ? t("changedCount", { n: changed }) : ""),
      h("span", { class: "unsure-count", title: t("unsure") }, unsure ? t("unsureCount", { n: unsure }) : ""),
    );
  }

  #item(line, index) {
    const said = this.#on.said(index);
    const words = said === undefined ? marked(line)
      : said ? [h("ins", { title: t("wasRead", { text: line.text }) }, said)] : [h("del", { title: t("leftOut") }, line.text)];
    return h("div", { class: "line", data: { line: index }, tabIndex: 0, role: "button", "aria-pressed": "false", dir: "auto" }, ...words);
  }

  #detail(index) {
    const line = this.#page.lines[index];
    const facts = [t("confidence", { percent: percent(line.confidence) })];
    if (line.engine) facts.push(t("readBy", { engine: line.engine }));
    const said = this.#on.said(index) ?? line.text;
    const doubts = (line.chars ?? []).filter((char) => isUnsure(char) && char.text.trim());
    return h("div", { class: "detail" },
      this.#on.cut(index, CUT_HEIGHT_PX * devicePixelRatio),
      doubts.length ? h("ul", { class: "doubts" }, doubts.map((char) => h("li", {}, h("b", {}, char.text), ` ${explain(char)}`))) : null,
      h("input", { type: "text", class: "correct", value: said, data: { correct: index }, title: t("correctHint"), "aria-label": t("correctLine"), autocomplete: "off", spellcheck: false, dir: "auto" }),
      h("p", { class: "facts" }, h("span", {}, facts.join(" · ")), iconButton("copy", t("copyLine"), () => this.#on.copy(said))));
  }
}

// Lines that follow each other and stand side by side on the page (a receipt's item and price) make one row, given as a list
// of line numbers. A table's lines make one row that names it.
function rowsOf(page) {
  const rows = [];
  const tables = new Map((page?.tables ?? []).flatMap((table) => table.cells.flatMap((cell) => cell.lines.map((index) => [index, table]))));
  (page?.lines ?? []).forEach((line, index) => {
    const table = tables.get(index);
    if (table) {
      if (rows.at(-1)?.table !== table) rows.push({ table });
      return;
    }
    const before = tables.has(index - 1) ? undefined : page.lines[index - 1];
    if (before?.box && line.box && beside(before.box, line.box)) rows.at(-1).push(index);
    else rows.push([index]);
  });
  return rows;
}

// Seen along the first line: does the next one begin after its end, with its middle at about the same height?
function beside(box, next) {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = box;
  const along = Math.hypot(x1 - x0, y1 - y0) || 1;
  const [ux, uy] = [(x1 - x0) / along, (y1 - y0) / along];
  const height = Math.min(Math.hypot(x3 - x0, y3 - y0), Math.hypot(next[3][0] - next[0][0], next[3][1] - next[0][1]));
  const [dx, dy] = [(next[0][0] + next[3][0] - x1 - x2) / 2, (next[0][1] + next[3][1] - y1 - y2) / 2]; // from its right edge to the next one's left
  return dx * ux + dy * uy > -0.3 * height && Math.abs(dy * ux - dx * uy) < 0.5 * height;
}

// Whether there is room between two lines of a row: pieces of one sentence stay together, columns stand apart.
function apart(line, next) {
  const [, right, low] = line.box;
  const [left] = next.box;
  return Math.hypot(left[0] - right[0], left[1] - right[1]) > COLUMN_GAP * Math.hypot(low[0] - right[0], low[1] - right[1]);
}

// Where each line begins, as a share of the width of all text: side by side lines then stand in columns as on the page.
function placesOf(lines) {
  const boxed = lines.filter((line) => line.box);
  if (boxed.length < lines.length || !lines.length) return null;
  const [[x0, y0], [x1, y1]] = boxed[0].box;
  const along = Math.hypot(x1 - x0, y1 - y0) || 1;
  const on = ([x, y]) => (x * (x1 - x0) + y * (y1 - y0)) / along;
  const starts = lines.map((line) => on(line.box[0]));
  const first = Math.min(...starts);
  const width = Math.max(...lines.map((line) => on(line.box[1]))) - first || 1;
  return starts.map((start) => (start - first) / width);
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

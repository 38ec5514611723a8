// The list of jobs: newest first, each with where it stands. Rows are changed in place: a row that was rebuilt under the
// pointer would swallow the click.

import { bytes, h } from "./dom.js";
import { duration, onLanguage, t } from "./i18n.js";
import { ended, standing } from "./jobs.js";

export class Sidebar {
  #current = null;
  #scheduled = false;
  #rows = new Map(); // entry -> its parts

  constructor(side, list, jobs) {
    this.side = side;
    this.list = list;
    this.jobs = jobs;
    jobs.addEventListener("change", () => this.#soon());
    onLanguage(() => this.render());
    this.render();
  }

  /** Mark the entry on screen. */
  current(entry) {
    this.#current = entry;
    this.render();
  }

  // Many changes come together while files upload: draw once a frame.
  #soon() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => { this.#scheduled = false; this.render(); });
  }

  render() {
    const { entries } = this.jobs;
    this.side.hidden = entries.length === 0;
    const items = entries.map((entry) => this.#fill(entry));
    const order = [...this.list.children];
    if (order.length !== items.length || items.some((item, at) => item !== order[at])) this.list.replaceChildren(...items);
    for (const entry of this.#rows.keys()) if (!entries.includes(entry)) this.#rows.delete(entry);
  }

  #fill(entry) {
    let row = this.#rows.get(entry);
    if (!row) this.#rows.set(entry, row = build(entry));
    const word = standing(entry);
    row.link.setAttribute("href", `#/jobs/${entry.id ?? entry.key}`);
    if (entry === this.#current) row.link.setAttribute("aria-current", "page");
    else row.link.removeAttribute("aria-current");
    row.dot.className = `dot is-${word}`;
    say(row.name, entry.name || entry.id || "");
    say(row.note, note(entry, word));
    row.bar.hidden = ended(entry);
    row.bar.firstChild.style.transform = `scaleX(${share(entry)})`;
    return row.item;
  }
}

function build(entry) {
  const dot = h("span", { class: "dot", "aria-hidden": "true" });
  const name = h("span", { class: "job-link-name" });
  const text = h("span", { class: "job-link-note" });
  const bar = h("span", { class: "mini" }, h("span", { class: "mini-fill" }));
  const link = h("a", { class: "job-link", data: { key: entry.key } }, dot, name, text, bar);
  return { item: h("li", {}, link), link, dot, name, note: text, bar };
}

function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function share(entry) {
  if (entry.phase === "uploading") return Math.max(0.02, entry.upload * 0.3);
  const { pages_total: total, pages_done: done } = entry.job?.progress ?? {};
  return 0.3 + 0.7 * (total ? done / total : 0);
}

function note(entry, word) {
  if (word === "waitingRetry") return t("waitingRetry", { seconds: entry.retryIn });
  const parts = [t(word)];
  const { progress, eta_s: eta } = entry.job ?? {};
  if (word === "uploading") parts.push(bytes(entry.size));
  if (word === "running" && progress?.pages_total > 1) parts.push(t("pagesOf", { done: progress.pages_done, total: progress.pages_total }));
  if (word === "done" && progress?.pages_total > 1) parts.push(t("pages", { n: progress.pages_total }));
  if (word === "queued" && eta > 1) parts.push(t("eta", { time: duration(Math.ceil(eta)) }));
  return parts.join(" · ");
}

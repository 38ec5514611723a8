// The list of jobs: newest first, each with where it stands.

import { h } from "./dom.js";
import { bytes } from "./dom.js";
import { duration, onLanguage, t } from "./i18n.js";
import { ended, standing } from "./jobs.js";

export class Sidebar {
  #current = null;
  #scheduled = false;

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
    document.body.classList.toggle("has-jobs", entries.length > 0);
    const focused = document.activeElement?.dataset?.key;
    this.list.replaceChildren(...entries.map((entry) => this.#row(entry)));
    if (focused) this.list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #row(entry) {
    const word = standing(entry);
    const bar = ended(entry) ? null : h("span", { class: "mini" }, h("span", { class: "mini-fill" }));
    if (bar) bar.firstChild.style.transform = `scaleX(${share(entry)})`;
    return h("li", {}, h("a", {
      href: `#/jobs/${entry.id ?? entry.key}`, class: "job-link", data: { key: entry.key }, "aria-current": entry === this.#current ? "page" : null,
    }, h("span", { class: `dot is-${word}`, "aria-hidden": "true" }),
    h("span", { class: "job-link-name" }, entry.name || entry.id || ""),
    h("span", { class: "job-link-note" }, note(entry, word)), bar));
  }
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

// One job on screen: what it is, how far it is, and its pages, picture beside text.

import { keptPicture } from "./album.js";
import { getPicture, getResult } from "./api.js";
import { correct, corrected, correctedResult, correctionsOf } from "./corrections.js";
import { h, icon } from "./dom.js";
import { duration, onLanguage, t } from "./i18n.js";
import { SHOWN_BY_BROWSERS, ended, standing } from "./jobs.js";
import { Pager } from "./pager.js";
import { Pages } from "./pages.js";
import { Progress } from "./progress.js";
import { TextPane } from "./textpane.js";
import { complain, toast } from "./toast.js";
import { Viewer } from "./viewer.js";

const FORMATS = { text: "txt", json: "json", markdown: "md", hocr: "hocr.html", alto: "xml", tsv: "tsv", xlsx: "xlsx", pdf: "pdf", fields: "fields.json" };

export class JobView {
  entry = null;
  #pages = null;
  #page = 1;
  #urls = new Map(); // page number -> object URL of its picture
  #fetching = new Set();

  constructor(root, jobs) {
    this.root = root;
    this.jobs = jobs;
    this.name = h("h1", { id: "job-name", class: "job-name" });
    this.pill = h("span", { class: "pill" });
    this.facts = h("p", { class: "facts" });
    this.actions = h("div", { class: "actions" });
    this.progress = new Progress(jobs);
    this.pager = new Pager((page) => this.turnTo(page));
    this.viewer = new Viewer({ hover: (index) => this.#hover(index), select: (index) => this.#select(index, "picture") }, this.pager.element);
    this.text = new TextPane({
      hover: (index) => this.#hover(index),
      select: (index) => this.#select(index, "text"),
      cut: (index, height) => this.viewer.cut(index, height),
      copy: (text) => copy(text),
      correct: (index, text) => this.#correct(index, text),
      said: (index) => correctionsOf(this.entry?.id)[this.#page]?.[index],
      point: (field) => this.viewer.mark("hover", field?.page === this.#page ? this.#lineOf(field) : null),
      choose: (field) => this.#chooseField(field),
      plain: () => corrected(this.entry?.id, this.#pages.known.get(this.#page)?.data).text ?? "",
    });
    this.panes = h("div", { class: "panes" }, this.viewer.element, this.text.element);
    this.viewer.image.addEventListener("load", () => this.#describe());
    root.replaceChildren(
      h("header", { class: "job-head" }, h("div", { class: "job-title" }, h("div", { class: "title-line" }, this.name, this.pill), this.facts), this.actions),
      this.progress.element,
      this.panes,
    );
    document.addEventListener("keydown", (event) => this.#key(event));
    onLanguage(() => this.entry && this.update(this.entry));
  }

  /** Put an entry on screen, or nothing. */
  open(entry) {
    if (entry === this.entry) return;
    this.#close();
    this.entry = entry;
    this.root.hidden = !entry;
    if (!entry) return;
    this.#pages = entry.pages ??= new Pages(entry);
    this.#pages.onKnown = (page) => this.#pageKnown(page);
    if (entry.file && SHOWN_BY_BROWSERS.test(entry.file.type)) this.#urls.set(1, URL.createObjectURL(entry.file));
    this.#page = this.#pages.numbers[0];
    this.update(entry);
  }

  /** News of the entry. */
  update(entry) {
    if (entry !== this.entry) return;
    const word = standing(entry);
    this.name.textContent = entry.name || entry.job?.name || entry.id || "";
    this.name.title = this.name.textContent;
    this.pill.textContent = t(word === "waitingRetry" ? "queued" : word);
    this.pill.className = `pill is-${word}`;
    this.#buildActions();
    this.progress.show(entry);
    this.text.offerFields(this.#readable ? entry.id : null);
    const numbers = this.#pages.numbers;
    if (!numbers.includes(this.#page)) this.#page = numbers[0];
    this.#showPage();
    if (entry.id) this.#pages.update(this.#page);
  }

  /** Show page `number` of the document. */
  turnTo(number) {
    if (number === this.#page || !this.#pages.numbers.includes(number)) return;
    this.#page = number;
    this.#showPage();
    this.#pages.load(number);
  }

  #close() {
    for (const url of this.#urls.values()) URL.revokeObjectURL(url);
    this.#urls.clear();
    this.#fetching.clear();
    if (this.#pages) this.#pages.onKnown = null;
    this.viewer.show(null, null);
    this.text.show(null);
    this.text.offerFields(null);
  }

  #pageKnown(page) {
    if (page === this.#page) this.#showPage();
    this.pager.show(this.#pages, this.#page);
  }

  #showPage() {
    const { entry } = this;
    const page = this.#page;
    const known = this.#pages.known.get(page);
    this.#buildFacts();
    this.pager.show(this.#pages, page);
    this.viewer.show(this.#urls.get(page) ?? null, known?.data ?? null);
    if (known?.data) this.text.show(known.data);
    else if (known?.problem) this.text.say(() => known.problem.sentence);
    else if (ended(entry) && entry.job?.status !== "done") this.text.say(entry.phase === "sent" ? "pageWaiting" : () => "");
    else this.text.say(() => "");
    this.text.element.classList.toggle("pending", !known && !ended(entry));
    this.panes.hidden = entry.phase === "problem" || entry.phase === "expired"; // there is nothing to show
    if (known?.data && !this.#urls.has(page)) this.#fetchPicture(page);
    else if (known?.problem && !this.#urls.has(page)) this.viewer.say(t("pageFailed"));
    else if (!known && !this.#urls.has(page) && entry.phase === "sent" && !ended(entry)) this.viewer.say(t("pageWaiting"));
  }

  async #fetchPicture(page) {
    const { entry } = this;
    if (this.#fetching.has(page)) return;
    this.#fetching.add(page);
    try {
      const blob = (page === 1 && await keptPicture(entry.id)) || await getPicture(entry.id, page);
      if (entry !== this.entry || !blob) return;
      this.#urls.set(page, URL.createObjectURL(blob));
      if (page === this.#page) this.viewer.show(this.#urls.get(page), this.#pages.known.get(page)?.data ?? null);
    } catch (error) {
      this.#fetching.delete(page);
      complain(error);
    }
  }

  #hover(index) {
    this.viewer.mark("hover", index);
    this.text.hover(index);
  }

  #select(index, from) {
    this.viewer.mark("selected", index, from === "text");
    this.text.select(index, from === "picture");
  }

  #correct(index, text) {
    const line = this.#pages.known.get(this.#page)?.data?.lines[index];
    if (!line) return;
    correct(this.entry.id, this.#page, index, text, line.text);
    this.#buildActions();
  }

  // The picture's name for those who do not see it.
  #describe() {
    this.viewer.image.alt = `${this.entry?.name ?? ""}, ${t("page")} ${this.#page}`;
  }

  #buildFacts() {
    const { job } = this.entry;
    const facts = [];
    const progress = job?.progress;
    if (progress?.pages_total) facts.push(t("pages", { n: progress.pages_total }));
    if (ended(this.entry) && progress?.lines_done) facts.push(t("lines", { n: progress.lines_done }));
    const seconds = (Date.parse(job?.finished_at) - Date.parse(job?.started_at ?? job?.created_at)) / 1000;
    if (job?.cached) facts.push(t("fromCache"));
    else if (seconds >= 0) facts.push(duration(Math.max(0.1, seconds)));
    const page = this.#pages.known.get(this.#page)?.data;
    if (page?.source === "text-layer") facts.push(t("textLayer"));
    const engines = new Set((page?.lines ?? []).map((line) => line.engine).filter(Boolean));
    if (engines.size > 1) engines.delete("auto"); // a line that both read
    if (page?.source !== "text-layer" && engines.size) facts.push([...engines].join(" + "));
    if (page?.rotation) facts.push(t("turned", { degrees: page.rotation }));
    this.facts.textContent = facts.join(" · ");
  }

  #buildActions() {
    const { entry } = this;
    const changed = this.#changed;
    const state = `${standing(entry)}/${entry.id}/${document.documentElement.lang}/${changed}`;
    if (this.actions.dataset.state === state) return; // an open menu stays open
    this.actions.dataset.state = state;
    const readable = this.#readable;
    const items = [];
    if (readable) {
      items.push(h("button", { type: "button", class: "button primary", id: "copy", onclick: () => this.#copyAll() }, icon("copy"), t("copy")));
      items.push(this.#downloads(changed ? [...Object.keys(FORMATS), "corrected"] : Object.keys(FORMATS)));
    }
    if (!ended(entry)) items.push(h("button", { type: "button", class: "button", id: "cancel", onclick: () => this.jobs.cancel(entry).catch(complain) }, icon("stop"), t("cancelJob")));
    else items.push(h("button", { type: "button", class: "button", id: "remove", title: t("remove"), "aria-label": t("remove"), onclick: () => this.#remove() }, icon("bin")));
    this.actions.replaceChildren(...items);
  }

  #downloads(formats) {
    const menu = h("details", { class: "menu" },
      h("summary", { class: "button" }, icon("save"), t("download"), icon("down")),
      h("ul", {}, formats.map((format) => h("li", {}, h("button", {
        type: "button", data: { format }, onclick: () => { menu.open = false; this.#download(format); },
      }, t(`f_${format}`))))));
    menu.addEventListener("focusout", (event) => { if (!menu.contains(event.relatedTarget)) menu.open = false; });
    menu.addEventListener("keydown", (event) => { if (event.key === "Escape") { menu.open = false; menu.firstChild.focus(); } });
    return menu;
  }

  async #copyAll() {
    try {
      const single = this.#pages.numbers.length === 1 && this.#pages.known.get(this.#page)?.data;
      await copy(single ? corrected(this.entry.id, single).text : this.#changed ? (await this.#correctedResult()).text : await (await getResult(this.entry.id, "text")).text());
    } catch (error) {
      complain(error);
    }
  }

  async #download(format) {
    const { entry } = this;
    try {
      const blob = format === "corrected" ? new Blob([JSON.stringify(await this.#correctedResult(), null, 1)], { type: "application/json" }) : await getResult(entry.id, format);
      const url = URL.createObjectURL(blob);
      const stem = (entry.name || entry.id).replace(/\.[^.]*$/, "");
      h("a", { href: url, download: `${stem}.${FORMATS[format] ?? "corrected.json"}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      complain(error);
    }
  }

  // The line on screen that a field's value stands in.
  #lineOf(field) {
    const [x, y] = [0, 1].map((axis) => field.box.reduce((sum, corner) => sum + corner[axis], 0) / 4);
    const inside = ([[x0, y0], [x1, y1], [x2, y2], [x3, y3]]) => [[x0, y0, x1, y1], [x1, y1, x2, y2], [x2, y2, x3, y3], [x3, y3, x0, y0]]
      .every(([ax, ay, bx, by]) => (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0);
    const index = (this.#pages.known.get(this.#page)?.data?.lines ?? []).findIndex((line) => line.box && inside(line.box));
    return index < 0 ? null : index;
  }

  async #chooseField(field) {
    const { entry } = this;
    this.turnTo(field.page);
    await this.#pages.load(field.page);
    if (entry === this.entry && field.page === this.#page) this.viewer.mark("selected", this.#lineOf(field), true);
  }

  get #readable() {
    return ["done", "partial"].includes(this.entry?.job?.status) && this.entry.phase === "sent";
  }

  get #changed() {
    return Object.keys(correctionsOf(this.entry.id)).length > 0;
  }

  async #correctedResult() {
    const { id } = this.entry;
    return correctedResult(id, JSON.parse(await (await getResult(id, "json")).text()));
  }

  async #remove() {
    const { entry } = this;
    if (entry.phase === "sent" && !window.confirm(t("removeAsk"))) return;
    try {
      await this.jobs.remove(entry);
      location.hash = "#/";
      toast(t("removed"));
    } catch (error) {
      complain(error);
    }
  }

  #key(event) {
    if (this.root.hidden || event.altKey || event.ctrlKey || event.metaKey || event.target.closest?.("input, select, textarea, dialog")) return;
    const step = { PageDown: 1, PageUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const numbers = this.#pages?.numbers ?? [];
    const next = step && numbers[numbers.indexOf(this.#page) + step];
    if (!next) return;
    event.preventDefault();
    this.turnTo(next);
  }
}

/** Put text on the clipboard and say so; plain http has no Clipboard API, so the old way is the second one. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "sr", value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) return toast(t("copyFailed"));
  }
  toast(t("copied"));
}

// How far a job is: upload, queue, pages and lines; or what went wrong. Hidden once the job is done and all is well.

import { h } from "./dom.js";
import { duration, t } from "./i18n.js";
import { ended, standing } from "./jobs.js";
import { Problem } from "./problem.js";

export class Progress {
  #jobs;

  constructor(jobs) {
    this.#jobs = jobs;
    this.label = h("p", { class: "progress-label" });
    this.side = h("p", { class: "progress-side" });
    this.fill = h("div", { class: "fill" });
    this.bar = h("div", { class: "bar", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, this.fill);
    this.moving = h("div", { class: "moving" }, h("div", { class: "progress-line" }, this.label, this.side), this.bar);
    this.notes = h("div", { class: "notes" });
    this.spoken = h("p", { class: "sr", role: "status" });
    this.element = h("div", { class: "progress" }, this.moving, this.notes, this.spoken);
  }

  /** Show where an entry stands. */
  show(entry) {
    const word = standing(entry);
    this.moving.hidden = ended(entry);
    const { share, label, side } = this.#measure(entry, word);
    this.label.textContent = label;
    this.side.textContent = entry.offline ? t("offline") : side;
    this.element.classList.toggle("offline", entry.offline);
    this.bar.classList.toggle("endless", share === null);
    this.bar.setAttribute("aria-label", label);
    if (share === null) this.bar.removeAttribute("aria-valuenow");
    else this.bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    this.fill.style.transform = share === null ? "" : `scaleX(${Math.max(0.01, share)})`;
    const said = t(word, { seconds: "" }); // told to a screen reader once a stage, not once a poll
    if (this.spoken.textContent !== said) this.spoken.textContent = said;
    this.notes.replaceChildren(...this.#notes(entry));
  }

  #measure(entry, word) {
    const { job } = entry;
    if (word === "uploading") return { share: entry.upload, label: t("uploading"), side: `${Math.round(entry.upload * 100)}%` };
    if (word === "sending") return { share: null, label: t("sending"), side: "" };
    if (word === "waitingRetry") return { share: null, label: t("waitingRetry", { seconds: entry.retryIn }), side: "" };
    const eta = job?.eta_s > 1 ? t("eta", { time: duration(Math.ceil(job.eta_s)) }) : "";
    if (word === "queued") {
      const place = job?.queue_position;
      const where = !place ? "" : place === 1 ? t("positionFirst") : t("position", { n: place - 1 });
      return { share: null, label: [t("queued"), where].filter(Boolean).join(" · "), side: eta };
    }
    const { pages_total: total = 0, pages_done: done = 0, lines_done: lines = 0, lines_total: allLines = 0 } = job?.progress ?? {};
    const parts = [t("running")];
    if (total > 1) parts.push(t("pagesOf", { done, total }));
    if (lines) parts.push(t("linesRead", { n: lines }));
    // Within a page the lines tell how far it is, where the server knows how many there are.
    const within = allLines > 0 && total === 1 ? lines / allLines : 0;
    const share = total > 1 ? done / total : within;
    return { share: share > 0 ? Math.min(share, 0.99) : null, label: parts.join(" · "), side: eta };
  }

  #notes(entry) {
    const notes = [];
    const { job } = entry;
    if (entry.phase === "problem") {
      notes.push(this.#note("bad", entry.problem, entry.file && entry.problem.mayPass ? () => this.#jobs.retry(entry) : null));
    } else if (entry.phase === "expired") {
      notes.push(h("div", { class: "note" }, h("p", {}, entry.problem?.sentence ?? t("jobNotThere"))));
    } else if (["failed", "partial"].includes(job?.status) && job.error) {
      notes.push(this.#note(job.status === "failed" ? "bad" : "warn", new Problem(job.error), null));
    }
    return notes;
  }

  #note(kind, problem, retry) {
    return h("div", { class: `note ${kind}`, role: "alert" },
      h("div", {}, h("strong", {}, problem.title), h("p", {}, problem.sentence)),
      retry ? h("button", { type: "button", class: "button", id: "retry", onclick: retry }, t("retry")) : null);
  }
}

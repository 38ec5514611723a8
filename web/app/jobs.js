// The jobs of this browser: those just sent (with their local files) and those remembered from before.
// An entry: {key, id, name, size, file, phase, upload, retryIn, job, problem, offline, createdAt}; phases are
// "uploading", "retrying", "sent", "problem" and "expired". Views listen to "change".

import { dropPicture, keepPicture } from "./album.js";
import { cancelJob, deleteJob, submit } from "./api.js";
import { dropCorrections } from "./corrections.js";
import { memory, pause, randomName } from "./dom.js";
import { Problem } from "./problem.js";
import { Watch } from "./watch.js";

const REMEMBERED = 30; // entries kept in the browser between visits
const UPLOADS_AT_ONCE = 3; // of the six connections a browser opens, some stay free for polling
/** Types that a browser draws by itself; of others the server has a picture a page. */
export const SHOWN_BY_BROWSERS = /^image\/(png|jpeg|webp|bmp|gif)$/;
const MAX_RETRIES = 6;
const ENDED = new Set(["done", "partial", "failed", "cancelled"]);

/** Whether nothing will change any more. */
export const ended = (entry) => entry.phase === "problem" || entry.phase === "expired" || ENDED.has(entry.job?.status);

/** The word (a key of words.js) for where an entry stands. */
export function standing(entry) {
  if (entry.phase === "sent") return entry.job?.status ?? "queued";
  if (entry.phase === "uploading") return entry.upload >= 1 ? "sending" : "uploading";
  if (entry.phase === "retrying") return "waitingRetry";
  return entry.phase;
}

export class Jobs extends EventTarget {
  entries = [];
  #uploads = 0;
  #waiting = [];
  #watch = new Watch((entry) => this.#changed(entry));

  constructor() {
    super();
    for (const row of memory.get("jobs", [])) {
      if (row?.id) this.entries.push({ ...blank(row.name), ...row, key: row.id, phase: row.status === "expired" ? "expired" : "sent", job: { id: row.id, status: row.status, progress: row.progress ?? null } });
    }
    for (const entry of this.entries) if (!ended(entry)) this.#watch.start(entry);
  }

  /** The entry with this key or job id. */
  find(key) {
    return this.entries.find((entry) => entry.key === key || entry.id === key);
  }

  /** Send files, all with the same options; answers their entries at once. */
  add(files, options) {
    const entries = files.map((file) => ({ ...blank(file.name), size: file.size, file, options, stop: new AbortController() }));
    this.entries.unshift(...entries);
    for (const entry of entries) {
      this.#waiting.push(entry);
      this.#changed(entry);
    }
    this.#pump();
    return entries;
  }

  /** An entry for a job that came by its address only (a link). */
  adopt(id) {
    const entry = { ...blank(""), key: id, id, phase: "sent" };
    this.entries.unshift(entry);
    this.#watch.start(entry);
    return entry;
  }

  /** Load the whole job record of a remembered entry again. */
  refresh(entry) {
    if (entry.id && entry.phase === "sent" && !entry.job?.links) this.#watch.start(entry);
  }

  /** The entry that is on screen is followed closely, the others now and then. */
  focus(entry) {
    this.#watch.focus(entry);
  }

  /** Send an entry again that could not be sent. */
  retry(entry) {
    Object.assign(entry, { phase: "uploading", upload: 0, problem: null, tries: 0, stop: new AbortController() });
    this.#waiting.push(entry);
    this.#changed(entry);
    this.#pump();
  }

  /** Stop an entry, wherever it is. */
  async cancel(entry) {
    if (!entry.id) {
      entry.stop?.abort();
      this.#waiting = this.#waiting.filter((other) => other !== entry);
      return this.#drop(entry);
    }
    const job = await cancelJob(entry.id);
    if (job?.status) entry.job = job;
    this.#changed(entry);
    this.#watch.nudge(entry);
  }

  /** Delete an entry here and on the server. */
  async remove(entry) {
    if (entry.id && entry.phase === "sent") {
      await deleteJob(entry.id).catch((error) => {
        if (!(error instanceof Problem) || ![404, 410].includes(error.status)) throw error;
      });
    }
    this.#drop(entry);
  }

  /** Forget every entry that has ended; the server keeps what it keeps. */
  forget() {
    for (const entry of this.entries.filter(ended)) {
      this.#watch.stop(entry);
      if (entry.id) letGo(entry.id);
    }
    this.entries = this.entries.filter((entry) => !ended(entry));
    this.#changed(null);
  }

  #drop(entry) {
    this.#watch.stop(entry);
    if (entry.id) letGo(entry.id);
    this.entries = this.entries.filter((other) => other !== entry);
    this.#changed(null);
  }

  #pump() {
    while (this.#uploads < UPLOADS_AT_ONCE && this.#waiting.length) {
      const entry = this.#waiting.shift();
      this.#uploads += 1;
      this.#send(entry).finally(() => {
        this.#uploads -= 1;
        this.#pump();
      });
    }
  }

  async #send(entry) {
    const { signal } = entry.stop;
    try {
      const job = await submit(entry.file, entry.options, {
        signal,
        idempotencyKey: entry.nonce,
        onProgress: (share) => { entry.upload = share; this.#changed(entry); },
      });
      Object.assign(entry, { phase: "sent", id: job.id, job, problem: null });
      if (SHOWN_BY_BROWSERS.test(entry.file.type)) keepPicture(job.id, entry.file);
      this.dispatchEvent(new CustomEvent("sent", { detail: entry }));
      this.#changed(entry);
      if (!ended(entry)) this.#watch.start(entry);
    } catch (error) {
      const problem = Problem.from(error);
      if (problem.aborted) return;
      entry.tries += 1;
      if (problem.passing && problem.retryAfter && entry.tries <= MAX_RETRIES) return this.#later(entry, problem.retryAfter);
      Object.assign(entry, { phase: "problem", problem });
      this.#changed(entry);
    }
  }

  // The server said when to come back: count down in sight, then send again under the same Idempotency-Key.
  async #later(entry, seconds) {
    const { signal } = entry.stop;
    entry.phase = "retrying";
    for (entry.retryIn = Math.min(120, Math.ceil(seconds)); entry.retryIn > 0; entry.retryIn -= 1) {
      this.#changed(entry);
      await pause(1000, signal);
      if (signal.aborted) return;
    }
    Object.assign(entry, { phase: "uploading", upload: 0 });
    this.#waiting.push(entry);
    this.#changed(entry);
    this.#pump(); // this one's slot may still count as taken: its own `finally` pumps again
  }

  #changed(entry) {
    const rows = this.entries.filter((one) => one.id).slice(0, REMEMBERED);
    memory.set("jobs", rows.map(({ id, name, size, createdAt, job, phase }) => (
      { id, name, size, createdAt, status: phase === "expired" ? "expired" : job?.status, progress: job?.progress ?? null })));
    this.dispatchEvent(new CustomEvent("change", { detail: entry }));
  }
}

// What the browser keeps beside the list of jobs.
function letGo(id) {
  dropPicture(id);
  dropCorrections(id);
}

function blank(name) {
  return {
    key: randomName(), nonce: randomName(), id: null, name: name || "", size: 0, file: null, options: {}, phase: "uploading",
    upload: 0, retryIn: 0, tries: 0, job: null, problem: null, offline: false, createdAt: Date.now(),
  };
}

// The pages of one job as they become known: each is fetched as soon as it is done, the one on screen first.

import { getPage } from "./api.js";
import { ended } from "./jobs.js";
import { Problem } from "./problem.js";

const PROBED_PAGES = 60; // documents up to this long show every page's state; longer ones are fetched as they are turned to
const MISSES = 3; // pages are done nearly in order: after so many that are not, the rest is not asked for

/** "2-3,7" as [2, 3, 7]; anything else as null. */
export function parsePages(spec) {
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(spec ?? "")) return null;
  const numbers = new Set();
  for (const part of spec.split(",")) {
    const [first, last = first] = part.split("-").map(Number);
    for (let page = first; page <= last && numbers.size < 10_000; page += 1) numbers.add(page);
  }
  return [...numbers].sort((a, b) => a - b);
}

export class Pages {
  known = new Map(); // number -> {data} or {problem}
  onKnown = null; // called with a page's number when it becomes known
  #entry;
  #loading = new Map();
  #probing = false;

  constructor(entry) {
    this.#entry = entry;
  }

  /** The page numbers of the job, in order; [1] while nothing is known. */
  get numbers() {
    const { job, options } = this.#entry;
    const total = job?.progress?.pages_total ?? 1;
    if (Array.isArray(job?.pages) && job.pages.length) return job.pages.map((page) => page.page ?? page);
    const asked = parsePages(options.pages ?? job?.options?.pages);
    if (asked && asked.length === total) return asked;
    return Array.from({ length: Math.max(1, total) }, (_, index) => index + 1);
  }

  /** Where a page stands: "done", "failed" or "waiting". */
  state(number) {
    const page = this.known.get(number);
    return !page ? "waiting" : page.problem ? "failed" : "done";
  }

  /** Fetch a page if it can be there; answers what is known of it. */
  async load(number) {
    if (this.known.has(number)) return this.known.get(number);
    if (!this.#entry.id || this.#entry.job?.status === "queued") return null;
    if (!this.#loading.has(number)) {
      this.#loading.set(number, this.#fetch(number).finally(() => this.#loading.delete(number)));
    }
    return this.#loading.get(number);
  }

  /** After news of the job: the page on screen, then the others that may be done by now. */
  async update(current) {
    await this.load(current);
    const numbers = this.numbers;
    if (this.#probing || numbers.length > PROBED_PAGES) return;
    this.#probing = true;
    try {
      let misses = 0;
      for (const number of numbers) {
        if (this.known.has(number)) continue;
        if (!(await this.load(number)) && (misses += 1) >= MISSES) break;
      }
    } finally {
      this.#probing = false;
    }
  }

  /** The text of every page that is known, in order. */
  get text() {
    return this.numbers.map((number) => this.known.get(number)?.data?.text).filter(Boolean).join("\n\n");
  }

  async #fetch(number) {
    let page = null;
    try {
      const data = await getPage(this.#entry.id, number);
      if (data?.error) page = { problem: new Problem(data.error) };
      else if (Array.isArray(data?.lines)) page = { data };
    } catch (error) {
      const problem = Problem.from(error);
      // 409: the job ended before this page was read; 404: not there yet.
      const pending = problem.status === 409 || (!ended(this.#entry) && problem.status === 404);
      if (!pending && !problem.passing && !problem.aborted) page = { problem };
    }
    if (page) {
      this.known.set(number, page);
      this.onKnown?.(number);
    }
    return page;
  }
}

// Follows jobs until they end. The one on screen is held open (`?wait=`): news arrives as it happens. The others are
// asked now and then, because a browser opens only six connections to a server and uploads need some of them.

import { getJob } from "./api.js";
import { pause } from "./dom.js";
import { Problem } from "./problem.js";

const WAIT_S = 20;
const BACKGROUND_MS = 2500;
const PLAIN_MS = 800; // between plain polls of the job on screen, where waiting does not work
const PLAIN_POLLS = 8;
const QUICK_MS = 150; // at least this long between two answers, however fast a job changes
const MAX_BACKOFF_MS = 10_000;
const ENDED = new Set(["done", "partial", "failed", "cancelled"]);

export class Watch {
  #loops = new Map(); // entry -> AbortController of what its loop waits for now
  #focused = null;
  #report;

  /** `report(entry)` is called whenever an entry's job, problem or connection changed. */
  constructor(report) {
    this.#report = report;
  }

  /** Follow an entry until it ends or is stopped. */
  start(entry) {
    if (!this.#loops.has(entry)) this.#loop(entry);
  }

  /** Follow it no longer. */
  stop(entry) {
    const controller = this.#loops.get(entry);
    this.#loops.delete(entry);
    controller?.abort();
  }

  /** Ask about an entry now. */
  nudge(entry) {
    this.#loops.get(entry)?.abort();
  }

  /** Hold this entry's connection open, and no other's. */
  focus(entry) {
    if (entry === this.#focused) return;
    const before = this.#focused;
    this.#focused = entry;
    if (before) this.nudge(before);
    if (entry) this.nudge(entry);
  }

  async #loop(entry) {
    let failures = 0;
    let plain = 0; // so many of the next polls do not ask the server to wait
    let etag = null; // what is known of the job: with it, no change between two polls is missed
    this.#loops.set(entry, new AbortController());
    while (this.#loops.has(entry)) {
      const controller = new AbortController();
      this.#loops.set(entry, controller);
      const focused = entry === this.#focused;
      const wait = focused && !plain && failures === 0 ? WAIT_S : 0;
      const asked = performance.now();
      try {
        const news = await getJob(entry.id, { wait, etag: wait ? etag : null, signal: controller.signal });
        if (!this.#loops.has(entry)) return;
        failures = 0;
        etag = news.etag;
        const job = news.job ?? entry.job;
        // An answer that came at once and says nothing new: nobody waits here now (a proxy, or too many who wait).
        if (wait && performance.now() - asked < 100 && (!news.job || same(job, entry.job))) plain = PLAIN_POLLS;
        else plain = Math.max(0, plain - 1);
        Object.assign(entry, { job, offline: false, phase: "sent" });
        if (!entry.name && job.name) entry.name = job.name;
        if (ENDED.has(job.status)) this.#loops.delete(entry);
        this.#report(entry);
        if (ENDED.has(job.status)) return;
      } catch (error) {
        const problem = Problem.from(error);
        if (!this.#loops.has(entry)) return;
        if (problem.aborted) continue;
        if ([401, 403, 404, 410].includes(problem.status)) {
          this.#loops.delete(entry);
          Object.assign(entry, { problem, phase: [404, 410].includes(problem.status) ? "expired" : "problem" });
          return this.#report(entry);
        }
        if (wait && problem.status >= 400 && problem.status < 500) plain = PLAIN_POLLS;
        failures += 1;
        if (!entry.offline && failures > 1) {
          entry.offline = true;
          this.#report(entry);
        }
      }
      const rest = failures ? Math.min(MAX_BACKOFF_MS, 400 * 2 ** failures) : focused ? (plain ? PLAIN_MS : QUICK_MS) : BACKGROUND_MS;
      await pause(rest, controller.signal);
    }
  }
}

function same(a, b) {
  return JSON.stringify([a.status, a.progress, a.queue_position]) === JSON.stringify([b?.status, b?.progress, b?.queue_position]);
}

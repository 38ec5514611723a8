// What went wrong, in one shape: the server's problem+json (RFC 9457), a lost connection, or an answer nobody understands.

import { currentLanguage, t } from "./i18n.js";

export class Problem extends Error {
  /** `body` is a problem document {type, title, status, detail, detail_zh, field?, retry_after?}. */
  constructor(body) {
    super(body.detail ?? body.title ?? "problem");
    this.body = body;
    this.status = body.status ?? 0;
    this.slug = String(body.type ?? "").split("/").pop();
    this.retryAfter = body.retry_after ?? null;
    this.aborted = Boolean(body.aborted);
  }

  /** The heading: English titles come with the documents, Chinese ones are the sentence itself. */
  get title() {
    if (this.slug === "network") return t("netTitle");
    return currentLanguage() === "zh" ? t("failed") : this.body.title ?? t("failed");
  }

  /** The sentence for people, in the language of the page. */
  get sentence() {
    if (this.slug === "network") return t("netDetail");
    if (this.slug === "unreadable") return t("badAnswer", { status: this.status });
    const { detail, detail_zh: chinese } = this.body;
    return (currentLanguage() === "zh" ? chinese ?? detail : detail ?? chinese) ?? t("badAnswer", { status: this.status });
  }

  /** Whether waiting and sending the same again may help. */
  get passing() {
    return this.slug === "network" || this.status === 429 || this.status === 503 || this.status === 502 || this.status === 504;
  }

  /** Whether a person may want to send the same again: not where the document or an option is at fault. */
  get mayPass() {
    return this.passing || this.status >= 500 || [401, 403, 408].includes(this.status) || this.slug === "unreadable";
  }

  /** Any error as a Problem. */
  static from(error) {
    if (error instanceof Problem) return error;
    if (error?.name === "AbortError") return new Problem({ aborted: true });
    if (error instanceof TypeError) return new Problem({ type: "network", detail: String(error.message) });
    return new Problem({ title: "Error", detail: String(error?.message ?? error) });
  }

  /** The Problem of an answer with an error status. */
  static async fromResponse(response) {
    const text = await response.text();
    return Problem.fromText(response.status, text, response.headers.get("Retry-After"));
  }

  /** The same from an answer's parts. */
  static fromText(status, text, retryAfter = null) {
    let body = null;
    try {
      body = JSON.parse(text);
    } catch {
      // not JSON: a proxy's page, or nothing at all
    }
    if (!body || typeof body !== "object" || !(body.detail || body.title)) body = { type: "unreadable" };
    const after = body.retry_after ?? (Number.parseInt(retryAfter ?? "", 10) || null);
    return new Problem({ ...body, status, retry_after: after });
  }
}

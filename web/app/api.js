// The gateway over HTTP: one function a call of the contract. Errors are thrown as Problem.

import { memory } from "./dom.js";
import { Problem } from "./problem.js";

let askKey = async () => false;
let asking = null;

/** `ask(problem)` shows the field for an API key and answers whether one was given. */
export const onKeyNeeded = (ask) => { askKey = ask; };

/** Remember the key for this tab. */
export const useKey = (key) => memory.set("key", key || null, "sessionStorage");

const keyHeaders = () => {
  const key = memory.get("key", "", "sessionStorage");
  return key ? { "X-API-Key": key } : {};
};

const wantsKey = (problem) => problem.status === 401 || (problem.status === 403 && problem.slug.startsWith("key"));

// Many requests may fail for want of a key at once: one question is enough.
function keyGiven(problem) {
  asking ??= askKey(problem).finally(() => { asking = null; });
  return asking;
}

/** fetch with the key and problems; asks for a key and tries again where the server wants one. */
export async function call(path, { method = "GET", headers = {}, signal, body } = {}) {
  for (;;) {
    const response = await fetch(path, { method, body, signal, headers: { Accept: "application/json", ...headers, ...keyHeaders() } });
    if (response.ok || response.status === 304) return response;
    const problem = await Problem.fromResponse(response);
    if (!wantsKey(problem) || !(await keyGiven(problem))) throw problem;
  }
}

/** The job as it stands and its `etag`; with `wait` the server holds the answer until the job differs from the `etag`
 *  that is known, at most that many seconds. `job` is null where nothing changed. */
export async function getJob(id, { wait = 0, etag = null, signal } = {}) {
  const headers = etag ? { "If-None-Match": etag } : {};
  const response = await call(`/v1/jobs/${encodeURIComponent(id)}${wait ? `?wait=${wait}` : ""}`, { signal, headers });
  return { job: response.status === 304 ? null : await response.json(), etag: response.headers.get("ETag") ?? etag };
}

/** One page's result, or null while that page is not done. */
export async function getPage(id, page, signal) {
  const response = await call(`/v1/jobs/${encodeURIComponent(id)}/pages/${page}`, { signal });
  return response.status === 202 ? null : response.json();
}

/** The picture of a page as a Blob, or null where the server has none. */
export async function getPicture(id, page, signal) {
  try {
    const response = await call(`/v1/jobs/${encodeURIComponent(id)}/pages/${page}/image`, { signal, headers: { Accept: "image/*" } });
    return response.status === 200 ? await response.blob() : null;
  } catch (error) {
    if (error instanceof Problem && [404, 409, 410].includes(error.status)) return null;
    throw error;
  }
}

/** The whole result in a format of the contract, as a Blob. */
export async function getResult(id, format) {
  const response = await call(`/v1/jobs/${encodeURIComponent(id)}/result?format=${format}`, { headers: { Accept: "*/*" } });
  return response.blob();
}

/** The fixed forms that the server knows: {name, title, title_zh, fields}. */
export async function getForms() {
  return (await (await call("/v1/forms", { headers: { Accept: "application/json" } })).json()).forms;
}

/** The fields of a job that has ended, by a form's name or "auto": {form, fields, missing, warnings}. */
export async function getFields(id, form) {
  const response = await call(`/v1/jobs/${encodeURIComponent(id)}/result?format=fields&form=${encodeURIComponent(form)}`, { headers: { Accept: "application/json" } });
  return response.json();
}

/** What the server offers and how busy it is, or null; asks for no key. */
export async function getCapacity() {
  try {
    const response = await fetch("/v1/capacity", { headers: { Accept: "application/json", ...keyHeaders() } });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** Stop a job; answers the job as it then stands. */
export async function cancelJob(id) {
  const response = await call(`/v1/jobs/${encodeURIComponent(id)}/cancel`, { method: "POST" });
  return response.json().catch(() => null);
}

/** Remove a job and its result from the server. */
export const deleteJob = (id) => call(`/v1/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });

/** Send a document. `onProgress(share)` hears of the upload; XMLHttpRequest because fetch does not tell. */
export async function submit(file, options, { onProgress, signal, idempotencyKey } = {}) {
  for (;;) {
    try {
      return await send(file, options, onProgress, signal, idempotencyKey);
    } catch (error) {
      if (!(error instanceof Problem) || !wantsKey(error) || !(await keyGiven(error))) throw error;
    }
  }
}

function send(file, options, onProgress, signal, idempotencyKey) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(options)) form.append(name, value);
    form.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/jobs");
    const headers = { Accept: "application/json", ...keyHeaders() };
    if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    request.onerror = () => reject(new Problem({ type: "network" }));
    request.onabort = () => reject(new Problem({ aborted: true }));
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        try {
          resolve(JSON.parse(request.responseText));
        } catch {
          reject(new Problem({ type: "unreadable", status: request.status }));
        }
      } else {
        reject(Problem.fromText(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      }
    };
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    if (signal?.aborted) return reject(new Problem({ aborted: true }));
    request.send(form);
  });
}

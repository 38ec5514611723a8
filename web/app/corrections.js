// What a person has put right in a job's text, kept in this browser: nothing is sent to the server. The corrected result
// can be downloaded, and is what `ocrfleet finetune` learns from.

import { memory } from "./dom.js";

const key = (id) => `corrected.${id}`;

/** The corrections of a job by page number and line index: `{"1": {"0": "text"}}`. */
export const correctionsOf = (id) => (id && memory.get(key(id))) || {};

/** Keep what line `index` of page `page` should say; its own text (or null) takes the correction back. */
export function correct(id, page, index, text, original) {
  const all = correctionsOf(id);
  const lines = { ...all[page] };
  if (text === null || text === original) delete lines[index];
  else lines[index] = text;
  if (Object.keys(lines).length) all[page] = lines;
  else delete all[page];
  memory.set(key(id), Object.keys(all).length ? all : null);
}

/** Forget a job's corrections. */
export const dropCorrections = (id) => memory.set(key(id), null);

/** A page's record with the corrections in place; the record itself where there are none. */
export function corrected(id, page) {
  const lines = page && correctionsOf(id)[page.page];
  if (!lines) return page;
  let text = page.text ?? "";
  let from = 0;
  let tables = page.tables ?? [];
  const changed = page.lines.map((line, index) => {
    const at = text.indexOf(line.text, from);
    const now = lines[index] ?? line.text;
    if (at >= 0) {
      text = text.slice(0, at) + now + text.slice(at + line.text.length);
      from = at + now.length;
      tables = tables.map((table) => moved(table, at, now.length - line.text.length));
    }
    return index in lines ? { ...line, text: now, confidence: 1, chars: [], engine: "person" } : line;
  });
  tables = tables.map((table) => ({ ...table, cells: table.cells.map((cell) => ({ ...cell, text: cellText(cell, page.lines, lines) })) }));
  return { ...page, text, lines: changed, tables };
}

// A table whose part of the text moves, or grows, because `more` characters came in at `at`.
function moved(table, at, more) {
  const [start, end] = table.span;
  return { ...table, span: [at < start ? start + more : start, at < end ? end + more : end] };
}

function cellText(cell, lines, corrections) {
  return cell.lines.reduce((text, index) => (index in corrections ? text.replace(lines[index].text, () => corrections[index]) : text), cell.text);
}

/** A whole result (as JSON gives it) with the corrections in place. */
export function correctedResult(id, result) {
  const pages = result.pages.map((page) => corrected(id, page));
  return { ...result, text: pages.map((page) => page.text).join("\n\n"), pages };
}

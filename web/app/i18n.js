// Which language the page speaks, and how a sentence is looked up. A switch re-renders through `onLanguage`.

import { memory } from "./dom.js";
import { WORDS } from "./words.js";

const listeners = new Set();
let language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

/** "en" or "zh". */
export const currentLanguage = () => language;

/** The sentence `key` with its {names} filled in; with `n` given, the form for one where there is one. */
export function t(key, values = {}) {
  const words = WORDS[language];
  const one = values.n === 1 ? words[`${key}_one`] : undefined;
  const sentence = one ?? words[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => {
    if (!(name in values)) return whole;
    return typeof values[name] === "number" ? number(values[name]) : values[name];
  });
}

/** Call `listener` after every switch of language. */
export const onLanguage = (listener) => listeners.add(listener);

/** Put the page into `next` ("en" or "zh") and remember it. */
export function setLanguage(next) {
  language = next;
  memory.set("language", next);
  speak();
  for (const listener of listeners) listener();
}

/** Fill every element that carries `data-word`, and name the language to the browser. */
export function speak(root = document) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of root.querySelectorAll("[data-word]")) node.textContent = t(node.dataset.word);
}

/** A count with the separators of the language. */
export const number = (value) => value.toLocaleString(language === "zh" ? "zh-CN" : "en");

/** Seconds for people: "0.8 s", "12 s", "3 min"; whole seconds stay whole. */
export function duration(seconds) {
  if (seconds < 9.95 && !Number.isInteger(seconds)) return t("seconds", { n: seconds.toFixed(1) });
  if (seconds < 99.5) return t("seconds", { n: Math.round(seconds) });
  return t("minutes", { n: Math.round(seconds / 60) });
}

/** A share of 1 as "97%"; never rounds up to a false 100%. */
export const percent = (share) => `${Math.min(Math.floor(share * 100), share < 1 ? 99 : 100)}%`;

// How a document is to be read: the options of POST /v1/jobs. What equals the default is not sent.

import { h, memory } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

// The first value of each is the server's default. What the server offers beyond these is learned from /v1/capacity.
const CHOICES = {
  lang: ["auto", "zh", "en"],
  engine: ["auto", "crnn", "ppocrv6", "modelscope"],
  layout: ["auto", "page", "line"],
  preprocess: ["auto", "off"],
  fold: ["off", "simplified", "traditional", "halfwidth", "simplified-halfwidth", "traditional-halfwidth"],
  pictures: ["auto", "keep", "off"],
  priority: ["interactive", "bulk"],
};
// What the page takes where nothing is chosen, if not the server's default: a photograph sent from here may be wanted as a
// searchable PDF, or be looked at from another browser.
const USUAL = { pictures: "keep" };
const LABELS = { lang: "optLang", engine: "optEngine", layout: "optLayout", preprocess: "optPreprocess", fold: "optFold", pictures: "optPictures", priority: "optPriority" };

/** Build the form inside `form`; `note` is the element of the summary that names what differs from the default. */
export class Options {
  #chosen = memory.get("options", {}) ?? {};
  #pages = "";

  constructor(form, note) {
    this.form = form;
    this.note = note;
    form.addEventListener("submit", (event) => event.preventDefault());
    onLanguage(() => this.#build());
    this.#build();
  }

  /** What to send: only what differs from the server's default. */
  get values() {
    const values = this.#differing((name) => CHOICES[name][0]);
    if (this.#pages.trim()) values.pages = this.#pages.replaceAll(/\s+/g, "");
    return values;
  }

  /** Take over the values that a server offers: {name: [value, ...]}. */
  learn(offered) {
    for (const [name, values] of Object.entries(offered ?? {})) {
      if (CHOICES[name] && Array.isArray(values) && values.length) CHOICES[name] = values.map(String);
    }
    this.#build();
  }

  #build() {
    const fields = Object.entries(CHOICES).map(([name, values]) => {
      const select = h("select", { name, onchange: (event) => this.#choose(name, event.target.value) },
        values.map((value) => h("option", { value }, label(name, value))));
      select.value = this.#value(name);
      return h("label", { class: "field" }, h("span", {}, t(LABELS[name])), select);
    });
    const pages = h("input", {
      type: "text", name: "pages", value: this.#pages, placeholder: t("pagesHint"), inputMode: "text", spellcheck: false,
      oninput: (event) => { this.#pages = event.target.value; this.#summary(); },
    });
    fields.push(h("label", { class: "field" }, h("span", {}, t("optPages")), pages));
    this.form.replaceChildren(...fields);
    this.#summary();
  }

  #choose(name, value) {
    this.#chosen[name] = value;
    memory.set("options", this.#chosen);
    this.#summary();
  }

  #value(name) {
    return CHOICES[name].includes(this.#chosen[name]) ? this.#chosen[name] : usual(name);
  }

  // The options whose values are not what `expected` gives for their name: {name: value}.
  #differing(expected) {
    return Object.fromEntries(Object.keys(CHOICES).map((name) => [name, this.#value(name)]).filter(([name, value]) => value !== expected(name)));
  }

  #summary() {
    const parts = Object.entries(this.#differing(usual)).map(([name, value]) => label(name, value));
    if (this.#pages.trim()) parts.push(`${t("optPages")} ${this.values.pages}`);
    this.note.textContent = parts.length ? parts.join(" · ") : t("asUsual");
  }
}

const usual = (name) => (CHOICES[name].includes(USUAL[name]) ? USUAL[name] : CHOICES[name][0]);

// A value's name in the language of the page; the browser knows the names of languages.
function label(name, value) {
  const known = t(`${name}_${value}`);
  if (known !== `${name}_${value}`) return known;
  if (name !== "lang") return value;
  try {
    const said = new Intl.DisplayNames([document.documentElement.lang], { type: "language" }).of(value);
    return said.charAt(0).toUpperCase() + said.slice(1);
  } catch {
    return value;
  }
}

// The fields of a fixed form, such as a receipt's total, beside the lines: which form, what it found and where.

import { getFields, getForms } from "./api.js";
import { h, iconButton } from "./dom.js";
import { currentLanguage, onLanguage, percent, t } from "./i18n.js";
import { complain } from "./toast.js";

const UNSURE = 0.8; // a value below this is marked, as characters are

export class FieldsPane {
  #id = null;
  #form = "auto";
  #forms = null;
  #found = null;
  #on;

  /** `on.point(field|null)`, `on.choose(field)` (a field with its page and box), `on.copy(text)`. */
  constructor(on) {
    this.#on = on;
    this.choice = h("select", { id: "form", onchange: () => { this.#form = this.choice.value; this.#load(); } });
    this.label = h("label", { for: "form" });
    this.rows = h("table", { class: "fields" });
    this.note = h("p", { class: "form-none", hidden: true });
    this.element = h("div", { class: "fields-pane", hidden: true }, h("p", { class: "form-choice" }, this.label, this.choice), this.rows, this.note);
    onLanguage(() => this.#render());
  }

  /** Show the fields of a job that has ended, or hide them with null. */
  show(id) {
    this.element.hidden = !id;
    if (!id || id === this.#id) return;
    this.#id = id;
    this.#form = "auto";
    this.#load();
  }

  async #load() {
    const [id, form] = [this.#id, this.#form];
    this.#found = null;
    this.#render();
    try {
      this.#forms ??= await getForms();
      const found = await getFields(id, form);
      if (id !== this.#id || form !== this.#form) return; // asked for another meanwhile
      this.#found = found;
      this.#render();
    } catch (error) {
      complain(error);
    }
  }

  #render() {
    const said = (one) => (currentLanguage() === "zh" ? one.title_zh : one.title);
    const form = this.#forms?.find((one) => one.name === this.#found?.form);
    const auto = this.#form === "auto" && form ? t("formFits", { form: said(form) }) : t("formAuto");
    this.label.textContent = t("form");
    this.choice.replaceChildren(h("option", { value: "auto" }, auto), ...(this.#forms ?? []).map((one) => h("option", { value: one.name }, said(one))));
    this.choice.value = this.#form;
    const missing = (form?.fields ?? []).filter((field) => this.#found.missing.includes(field.name));
    this.rows.replaceChildren(
      ...Object.values(this.#found?.fields ?? {}).map((field) => this.#row(said(field), field)),
      ...missing.map((field) => h("tr", { class: "missing" }, h("th", { scope: "row" }, said(field)), h("td", { colSpan: 2 }, t("fieldMissing")))),
    );
    this.note.textContent = this.#found && !this.#found.form ? t("formNone") : "";
    this.note.hidden = !this.note.textContent;
  }

  #row(title, field) {
    const unsure = field.confidence < UNSURE;
    const button = h("button", {
      type: "button", class: `field-value${unsure ? " unsure" : ""}`, title: t("confidence", { percent: percent(field.confidence) }), dir: "auto",
      onclick: () => this.#on.choose(field), onpointerenter: () => this.#on.point(field), onpointerleave: () => this.#on.point(null),
    }, field.value);
    return h("tr", {}, h("th", { scope: "row" }, title), h("td", {}, button), h("td", {}, iconButton("copy", t("copyField"), () => this.#on.copy(field.value))));
  }
}

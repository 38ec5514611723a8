// Which page is shown, of how many; for shorter documents every page has a chip that shows where it stands. Chips are
// changed in place: one that was rebuilt under the pointer would swallow the click.

import { h, iconButton } from "./dom.js";
import { t } from "./i18n.js";

const CHIPS = 12; // documents up to this long get chips, longer ones a number to type

export class Pager {
  #turn;
  #built = "";
  #pages = null;
  #current = 1;

  /** `turn(number)` is asked to show a page. */
  constructor(turn) {
    this.#turn = turn;
    this.element = h("nav", { class: "pager" });
  }

  /** Show the pages of a job with `current` marked. */
  show(pages, current) {
    this.#pages = pages;
    this.#current = current;
    const { numbers } = pages;
    const wanted = `${document.documentElement.lang}/${numbers.join()}`;
    if (wanted !== this.#built) this.#build(numbers);
    this.#built = wanted;
    if (numbers.length < 2) return;
    const at = numbers.indexOf(current);
    this.previous.disabled = at <= 0;
    this.next.disabled = at >= numbers.length - 1;
    for (const chip of this.chips) {
      const number = Number(chip.dataset.page);
      chip.className = `page-chip is-${pages.state(number)}`;
      if (number === current) chip.setAttribute("aria-current", "page");
      else chip.removeAttribute("aria-current");
    }
    if (this.field && document.activeElement !== this.field) this.field.value = current;
  }

  #build(numbers) {
    this.chips = [];
    this.field = null;
    this.element.setAttribute("aria-label", t("page"));
    if (numbers.length < 2) return this.element.replaceChildren();
    this.previous = iconButton("left", t("previousPage"), () => this.#step(-1));
    this.next = iconButton("right", t("nextPage"), () => this.#step(1));
    this.element.replaceChildren(this.previous, numbers.length <= CHIPS ? this.#buildChips(numbers) : this.#buildField(numbers), this.next);
  }

  #step(by) {
    const { numbers } = this.#pages;
    this.#turn(numbers[numbers.indexOf(this.#current) + by]);
  }

  #buildChips(numbers) {
    this.chips = numbers.map((number) => h("button", {
      type: "button", data: { page: number }, "aria-label": `${t("page")} ${number}`, onclick: () => this.#turn(number),
    }, String(number)));
    return h("ol", { class: "page-chips" }, this.chips.map((chip) => h("li", {}, chip)));
  }

  #buildField(numbers) {
    const field = h("input", { type: "number", min: numbers[0], max: numbers.at(-1), "aria-label": t("page") });
    field.addEventListener("change", () => {
      if (numbers.includes(Number(field.value))) this.#turn(Number(field.value));
      else field.value = this.#current;
    });
    this.field = field;
    return h("span", { class: "page-field" }, field, h("span", {}, t("ofPages", { total: numbers.at(-1) })));
  }
}

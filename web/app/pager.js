// Which page is shown, of how many; for shorter documents every page has a chip that shows where it stands.

import { h, iconButton } from "./dom.js";
import { t } from "./i18n.js";

const CHIPS = 12; // documents up to this long get chips, longer ones a number to type

export class Pager {
  #turn;
  #state = "";

  /** `turn(number)` is asked to show a page. */
  constructor(turn) {
    this.#turn = turn;
    this.element = h("nav", { class: "pager" });
  }

  /** Show the pages of a job with `current` marked. */
  show(pages, current) {
    const { numbers } = pages;
    const state = JSON.stringify([document.documentElement.lang, current, numbers.map((number) => pages.state(number))]);
    if (state === this.#state) return;
    this.#state = state;
    this.element.setAttribute("aria-label", t("page"));
    if (numbers.length < 2) return this.element.replaceChildren();
    const at = numbers.indexOf(current);
    const to = (step) => () => this.#turn(numbers[at + step]);
    const middle = numbers.length <= CHIPS ? this.#chips(pages, current) : this.#field(numbers, current);
    const held = document.activeElement?.dataset?.page;
    this.element.replaceChildren(
      iconButton("left", t("previousPage"), to(-1), { disabled: at <= 0 }),
      middle,
      iconButton("right", t("nextPage"), to(1), { disabled: at >= numbers.length - 1 }),
    );
    if (held) this.element.querySelector(`[data-page="${held}"]`)?.focus(); // rebuilding must not lose the keyboard's place
  }

  #chips(pages, current) {
    return h("ol", { class: "page-chips" }, pages.numbers.map((number) => h("li", {}, h("button", {
      type: "button", class: `page-chip is-${pages.state(number)}`, data: { page: number }, "aria-label": `${t("page")} ${number}`,
      "aria-current": number === current ? "page" : null, onclick: () => this.#turn(number),
    }, String(number)))));
  }

  #field(numbers, current) {
    const input = h("input", {
      type: "number", min: numbers[0], max: numbers.at(-1), value: current, "aria-label": t("page"), data: { page: "field" },
      onchange: () => (numbers.includes(Number(input.value)) ? this.#turn(Number(input.value)) : (input.value = current)),
    });
    return h("span", { class: "page-field" }, input, h("span", {}, t("ofPages", { total: numbers.at(-1) })));
  }
}

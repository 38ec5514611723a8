// Short messages at the foot of the page: they go by themselves, errors stay until they are dismissed.

import { h, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { Problem } from "./problem.js";

const SHOWN_MS = 3200;

/** Say `text` for a moment. */
export function toast(text) {
  const node = h("p", { class: "toast" }, text);
  place(node);
  setTimeout(() => node.remove(), SHOWN_MS);
}

/** Show what went wrong, in the language of the page. */
export function complain(error) {
  const problem = Problem.from(error);
  if (problem.aborted) return;
  const node = h("div", { class: "toast bad", role: "alert" }, h("div", {}, h("strong", {}, problem.title), h("p", {}, problem.sentence)));
  node.append(iconButton("stop", t("dismiss"), () => node.remove()));
  place(node);
}

function place(node) {
  const box = document.getElementById("toasts");
  while (box.children.length > 3) box.firstChild.remove();
  box.append(node);
}

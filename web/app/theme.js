// Light, dark, or as the system says. The button walks through the three.

import { icon, memory } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const ORDER = ["auto", "light", "dark"];
const NAMES = { auto: "themeAuto", light: "themeLight", dark: "themeDark" };

/** Wire the button that changes the colours. */
export function startTheme(button) {
  let theme = memory.get("theme", "auto");
  const show = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.replaceChildren(icon(theme));
    button.title = t("themeIs", { theme: t(NAMES[theme]) });
    button.setAttribute("aria-label", t("themeIs", { theme: t(NAMES[theme]) }));
  };
  button.addEventListener("click", () => {
    theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
    memory.set("theme", theme === "auto" ? null : theme);
    show();
  });
  onLanguage(show);
  show();
}

// Wires the page: what comes in, what is on screen (the part of the address after #), language, colours, the key.

import { getCapacity, onKeyNeeded, useKey } from "./api.js";
import { currentLanguage, onLanguage, setLanguage, speak, t } from "./i18n.js";
import { startIntake, startSamples } from "./intake.js";
import { Jobs } from "./jobs.js";
import { JobView } from "./jobview.js";
import { Options } from "./options.js";
import { Sidebar } from "./sidebar.js";
import { startTheme } from "./theme.js";
import { toast } from "./toast.js";

const $ = (id) => document.getElementById(id);

speak();
startTheme($("theme"));
startLanguage($("language"));

const jobs = new Jobs();
const options = new Options($("options-form"), $("options-note"));
const sidebar = new Sidebar($("side"), $("jobs"), jobs);
const view = new JobView($("job"), jobs);

startIntake({ input: $("files"), veil: $("veil"), drop: $("drop"), take });
startSamples($("samples"), take);
$("forget").addEventListener("click", () => { jobs.forget(); toast(t("forgotten")); });
jobs.addEventListener("change", ({ detail: entry }) => {
  if (entry) return view.update(entry);
  if (view.entry && !jobs.entries.includes(view.entry)) location.hash = "#/"; // it was cancelled, deleted or forgotten
});
// Once the server has named a job, its address can be kept and shared.
jobs.addEventListener("sent", ({ detail: entry }) => { if (entry === view.entry) keep(entry); });
window.addEventListener("hashchange", route);
startKey();
route();
getCapacity().then((capacity) => options.learn(capacity?.options));

function take(files) {
  const entries = jobs.add(files, options.values);
  location.hash = `#/jobs/${entries[0].key}`;
}

const keep = (entry) => history.replaceState(null, "", `#/jobs/${entry.id}`);

function route() {
  const [, key] = location.hash.match(/^#\/jobs\/([\w.~-]+)$/) ?? [];
  const entry = key ? jobs.find(key) ?? jobs.adopt(key) : null;
  if (entry?.id && entry.id !== key) keep(entry); // it was named before the browser told of the new address
  document.body.classList.toggle("at-job", Boolean(entry));
  $("home").hidden = Boolean(entry);
  $("new").toggleAttribute("aria-current", !entry);
  if (entry) jobs.refresh(entry);
  view.open(entry);
  jobs.focus(entry);
  sidebar.current(entry);
  document.title = entry?.name ? `${entry.name} · ocrfleet` : "ocrfleet";
}

function startLanguage(button) {
  const other = () => (currentLanguage() === "zh" ? "en" : "zh");
  const show = () => {
    button.textContent = other() === "zh" ? "中文" : "English";
    button.lang = other();
  };
  button.addEventListener("click", () => setLanguage(other()));
  onLanguage(show);
  show();
}

function startKey() {
  const dialog = $("key");
  $("key-no").addEventListener("click", () => dialog.close(""));
  onKeyNeeded((problem) => new Promise((resolve) => {
    $("key-why").textContent = problem.status === 401 ? t("keyWhy") : problem.sentence;
    $("key-value").value = "";
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue === "ok" && $("key-value").value.trim();
      if (given) useKey(given);
      resolve(Boolean(given));
    }, { once: true });
    dialog.showModal();
  }));
}

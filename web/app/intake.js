// Files come in by choosing, dropping anywhere, or pasting. Whatever the way, `take(files)` gets an array of File.

import { h } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { complain, toast } from "./toast.js";

// Small documents to try the service with, served with the page itself.
const SAMPLES = [
  ["receipt-en.jpg", "sampleReceipt"],
  ["road-sign.jpg", "sampleSign"],
  ["invoice-zh.jpg", "sampleInvoice"],
  ["contract-zh.jpg", "sampleContract"],
  ["report-5p.pdf", "sampleReport"],
];
const STAMPED = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" };

/** Wire the file field, dropping and pasting. */
export function startIntake({ input, veil, drop, take }) {
  input.addEventListener("change", () => {
    if (input.files.length) take([...input.files]);
    input.value = ""; // the same file may be chosen again
  });

  let depth = 0; // dragenter and dragleave also fire for every child element
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const shown = (on) => { veil.hidden = !on; drop.classList.toggle("over", on); };
  window.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    shown(true);
  });
  window.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) shown(false);
  });
  window.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  window.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    shown(false);
    const files = [...event.dataTransfer.files].filter((file) => file.size || file.type); // folders have neither
    if (files.length) take(files);
    else toast(t("notAFile"));
  });

  window.addEventListener("paste", (event) => {
    if (event.target.closest?.("input, textarea, [contenteditable]")) return;
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) take(files.map(named));
    else if (!event.clipboardData?.getData("text")) toast(t("notAFile"));
  });
}

// Every pasted picture is called image.png: give it the time instead.
function named(file) {
  const ending = STAMPED[file.type];
  if (!ending || !/^image\./.test(file.name)) return file;
  const now = new Date();
  const stamp = [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, "0")).join("");
  return new File([file], `clipboard-${stamp}.${ending}`, { type: file.type });
}

/** The row of sample documents under the drop field. */
export function startSamples(list, take) {
  const build = () => list.replaceChildren(...SAMPLES.map(([name, word]) => h("li", {}, h("button", {
    type: "button", class: "chip", data: { sample: name }, onclick: () => fetchSample(name).then((file) => take([file]), complain),
  }, t(word)))));
  onLanguage(build);
  build();
}

async function fetchSample(name) {
  const response = await fetch(`/static/samples/${name}`);
  if (!response.ok) throw new TypeError(`sample ${name}: ${response.status}`);
  const blob = await response.blob();
  return new File([blob], name, { type: blob.type });
}

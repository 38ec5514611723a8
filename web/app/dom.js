// Small tools for building the page: elements, icons, numbers. No framework.

const PATHS = {
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  left: "M12 4l-6 6 6 6",
  right: "M8 4l6 6-6 6",
  down: "M5 8l5 5 5-5",
  copy: "M8 7h7a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1zM13 7V5a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v7a1 1 0 0 0 1 1h2",
  save: "M10 3v9M6 9l4 4 4-4M4 16h12",
  stop: "M5 5l10 10M15 5L5 15",
  bin: "M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6",
  fit: "M4 8V4h4M16 8V4h-4M4 12v4h4M16 12v4h-4",
  auto: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14zM10 3v14M13 4.5v11M15.5 6.5v7",
  light: "M10 6.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1",
  dark: "M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z",
  boxes: "M3 4h14v5H3zM3 12h9v4H3z",
};

/** An element with properties, attributes (those with a dash, or `role`, `for`...) and children; null children are left out. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** An SVG element with attributes. */
export function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** One of the page's own icons; it says nothing to a screen reader, its button does. */
export function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, s("path", { d: PATHS[name] }));
}

/** A button that shows an icon only; `label` is its name for everybody. */
export function iconButton(name, label, onclick, extra = {}) {
  return h("button", { type: "button", class: "icon-button", title: label, "aria-label": label, onclick, ...extra }, icon(name));
}

/** Bytes for people: "812 KB", "3.4 MB". */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 999_500) return `${Math.round(count / 1000)} KB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

/** A random name, for requests that must not be carried out twice; works on plain http too. */
export function randomName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A promise of `ms` milliseconds that an AbortSignal cuts short (it then resolves as well). */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

/** What the browser keeps for this page; a browser that keeps nothing gives the fallback. */
export const memory = {
  get(key, fallback = null, where = "localStorage") {
    try {
      const text = window[where].getItem(`ocrfleet.${key}`);
      return text === null ? fallback : JSON.parse(text);
    } catch {
      return fallback;
    }
  },
  set(key, value, where = "localStorage") {
    try {
      if (value === null) window[where].removeItem(`ocrfleet.${key}`);
      else window[where].setItem(`ocrfleet.${key}`, JSON.stringify(value));
    } catch {
      // storage is full or forbidden: the page only forgets
    }
  },
};

// One registry feeds the keys: rows carry data-row, places data-go, actions data-key. Off while typing, or for good.
const PAUSE = 1200;
const OFF = "hotkeys=off";
let waiting = 0;

const isOff = () => document.cookie.includes(OFF);
const rows = () => [...document.querySelectorAll("[data-row]")];

function move(step) {
  const all = rows();
  const focused = all.indexOf(document.activeElement);
  const at = focused >= 0 ? focused : all.findIndex((row) => row.getAttribute("aria-current"));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  if (!next) return;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  next.click();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => document.activeElement?.matches("[data-row]") && (move(1), true),
  ArrowUp: () => document.activeElement?.matches("[data-row]") && (move(-1), true),
  "/": () => (document.querySelector("main input[type=search]") ?? document.querySelector(".nav-search input"))?.focus(),
  "?": () => document.getElementById("shortcuts")?.showModal(),
};

function press(event) {
  if (waiting) {
    clearTimeout(waiting);
    waiting = 0;
    const place = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    place?.click();
    return Boolean(place);
  }
  if (event.key === "g") {
    waiting = setTimeout(() => { waiting = 0; }, PAUSE);
    return true;
  }
  if (keys[event.key]) return keys[event.key]() !== false;
  const action = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  action?.click();
  return Boolean(action);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog, iframe");
  if (typing || event.metaKey || event.ctrlKey || event.altKey || isOff()) return;
  if (press(event)) event.preventDefault();
});

const off = document.querySelector("[data-hotkeys-off]");
if (off) {
  off.checked = isOff();
  off.addEventListener("change", () => {
    document.cookie = `hotkeys=${off.checked ? "off" : "on"};path=/;max-age=31536000;samesite=lax`;
  });
}

// One list of shortcuts feeds the keys and their help. Off while typing; switched off by the cookie "hotkeys=off".
const go = { i: "/admin/feedback/insights", s: "/admin/feedback/stream", r: "/admin/roadmap", c: "/admin/changelog", u: "/admin/users" };
let waiting = false;

const rows = () => [...document.querySelectorAll("[data-row]")];
const move = (step) => {
  const all = rows();
  const at = all.findIndex((row) => row.getAttribute("aria-current"));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  if (next) { next.focus(); next.click(); }
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog");
  if (typing || event.metaKey || event.ctrlKey || event.altKey || document.cookie.includes("hotkeys=off")) return;
  if (waiting) {
    waiting = false;
    if (go[event.key]) { location.href = go[event.key]; event.preventDefault(); }
    return;
  }
  if (event.key === "g") { waiting = true; setTimeout(() => { waiting = false; }, 1200); return; }
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "/") document.querySelector("input[type=search]")?.focus();
  else if (event.key === "?") document.querySelector("dialog#shortcuts")?.showModal();
  else return;
  event.preventDefault();
});

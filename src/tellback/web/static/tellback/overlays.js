// What floats: toasts, dialogs opened in place of a page, menus that close by themselves.
const STAY = 8000;

customElements.define("toast-area", class extends HTMLElement {
  connectedCallback() {
    for (const toast of this.children) this.dress(toast);
    document.addEventListener("htmx:responseError", this.failed);
    document.addEventListener("htmx:sendError", this.failed);
    document.addEventListener("tellback:toast", this.told);
  }
  disconnectedCallback() {
    document.removeEventListener("htmx:responseError", this.failed);
    document.removeEventListener("htmx:sendError", this.failed);
    document.removeEventListener("tellback:toast", this.told);
  }
  failed = () => this.say(this.dataset.failed, "error");
  told = (event) => this.say(event.detail.text, event.detail.kind);
  say(text, kind = "") {
    const toast = document.createElement("div");
    toast.className = `toast ${kind}`;
    toast.textContent = text;
    this.append(toast);
    this.dress(toast);
  }
  dress(toast) {
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", this.dataset.close);
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    if (!toast.classList.contains("error")) this.later(toast);
  }
  // A toast that is being read stays.
  later(toast) {
    setTimeout(() => (toast.matches(":hover, :focus-within") ? this.later(toast) : toast.remove()), STAY);
  }
});

// <dialog-opener for="id"><a href="/the/page">…</a></dialog-opener>: the link goes to the page when there is no script.
customElements.define("dialog-opener", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.open);
  }
  disconnectedCallback() {
    this.removeEventListener("click", this.open);
  }
  open(event) {
    const dialog = document.getElementById(this.getAttribute("for"));
    if (!dialog || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    dialog.showModal();
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close-dialog]")) event.target.closest("dialog")?.close();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// <choose-row>: a list beside a detail. htmx fetches the detail; this marks the row it belongs to, at once.
customElements.define("choose-row", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.choose);
  }
  disconnectedCallback() {
    this.removeEventListener("click", this.choose);
  }
  choose(event) {
    const row = event.target.closest("[data-row]");
    if (!row || event.metaKey || event.ctrlKey || event.shiftKey) return;
    for (const other of this.querySelectorAll("[data-row][aria-current]")) other.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    this.classList.add("has-detail");
  }
});

// <widget-preview for="form-id">: shows the widget as the form says, a moment after it has changed.
customElements.define("widget-preview", class extends HTMLElement {
  connectedCallback() {
    this.form = document.getElementById(this.getAttribute("for"));
    this.form?.addEventListener("input", this.later);
  }
  disconnectedCallback() {
    this.form?.removeEventListener("input", this.later);
    clearTimeout(this.timer);
  }
  later = () => {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show(), 300);
  };
  show() {
    const frame = this.querySelector("iframe");
    const chosen = new URLSearchParams(new FormData(this.form));
    chosen.delete("csrfmiddlewaretoken");
    frame.src = `${frame.dataset.address}?${chosen}`;
  }
});

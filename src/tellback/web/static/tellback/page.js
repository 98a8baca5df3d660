// What every page has: the token for htmx, the colour scheme, times, forms that send themselves. All works without.
const html = document.documentElement;

// htmx fires "config:request" from version 4 on and "configRequest" before; both carry the headers.
const addToken = (event) => {
  const meta = document.querySelector('meta[name="csrf-token"]');
  const headers = event.detail.headers ?? event.detail.ctx?.request?.headers;
  if (meta && headers) headers["X-CSRFToken"] = meta.content;
};
document.addEventListener("htmx:configRequest", addToken);
document.addEventListener("htmx:config:request", addToken);

customElements.define("theme-toggle", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.change);
  }
  disconnectedCallback() {
    this.removeEventListener("click", this.change);
  }
  change() {
    const next = { light: "dark", dark: "auto", auto: "light" }[html.dataset.theme || "auto"];
    if (next === "auto") delete html.dataset.theme;
    else html.dataset.theme = next;
    document.cookie = `theme=${next};path=/;max-age=31536000;samesite=lax`;
    this.querySelector("[data-label]").textContent = this.dataset[next];
  }
});

customElements.define("relative-time", class extends HTMLElement {
  connectedCallback() {
    this.show();
    this.timer = setInterval(() => this.show(), 60000);
  }
  disconnectedCallback() {
    clearInterval(this.timer);
  }
  show() {
    const at = new Date(this.getAttribute("datetime"));
    const seconds = (at - Date.now()) / 1000;
    if (Number.isNaN(seconds) || Math.abs(seconds) > 30 * 86400) return;
    const format = new Intl.RelativeTimeFormat(html.lang || "en", { numeric: "auto" });
    const steps = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
    const [unit, size] = steps.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
    const place = this.querySelector("time") ?? this;
    this.title = at.toLocaleString(html.lang || undefined);
    place.textContent = unit === "second" ? format.format(0, "second") : format.format(Math.round(seconds / size), unit);
  }
});

customElements.define("submit-on-change", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", this.submit);
  }
  disconnectedCallback() {
    this.removeEventListener("change", this.submit);
  }
  submit(event) {
    event.target.form?.requestSubmit();
  }
});

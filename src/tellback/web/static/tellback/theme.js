// Small enhancements: everything works without them.
const html = document.documentElement;

// Cross-site request forgery token for every htmx request, from the page's meta tag.
document.addEventListener("htmx:configRequest", (event) => {
  const meta = document.querySelector('meta[name="csrf-token"]');
  if (meta) event.detail.headers["X-CSRFToken"] = meta.content;
});

customElements.define("theme-toggle", class extends HTMLElement {
  connectedCallback() {
    this.firstElementChild?.addEventListener("click", () => {
      const next = { light: "dark", dark: "auto", auto: "light" }[html.dataset.theme || "auto"];
      if (next === "auto") delete html.dataset.theme; else html.dataset.theme = next;
      document.cookie = `theme=${next};path=/;max-age=31536000;samesite=lax`;
      this.querySelector("[data-label]").textContent = this.dataset[next];
    });
  }
});

customElements.define("relative-time", class extends HTMLElement {
  connectedCallback() {
    const at = new Date(this.getAttribute("datetime"));
    const format = new Intl.RelativeTimeFormat(html.lang || "en", { numeric: "auto" });
    const seconds = (at - Date.now()) / 1000;
    const steps = [["day", 86400], ["hour", 3600], ["minute", 60]];
    if (Math.abs(seconds) > 30 * 86400) return;
    this.title = at.toLocaleString();
    for (const [unit, size] of steps) {
      if (Math.abs(seconds) >= size) { this.textContent = format.format(Math.round(seconds / size), unit); return; }
    }
    this.textContent = this.dataset.now || "just now";
  }
});

customElements.define("toast-area", class extends HTMLElement {
  connectedCallback() {
    for (const toast of this.children) setTimeout(() => toast.remove(), 8000);
  }
});

customElements.define("live-counts", class extends HTMLElement {
  connectedCallback() { this.timer = setInterval(() => this.poll(), Number(this.dataset.every || 20) * 1000); }
  disconnectedCallback() { clearInterval(this.timer); }
  async poll() {
    if (document.hidden) return;
    const response = await fetch(this.dataset.url, { headers: this.etag ? { "If-None-Match": this.etag } : {} });
    if (response.status !== 200) return;
    this.etag = response.headers.get("ETag");
    const counts = await response.json();
    for (const [name, value] of Object.entries(counts)) {
      const place = this.querySelector(`[data-count="${name}"]`);
      if (place) place.textContent = value;
    }
    const pill = this.querySelector("[data-new]");
    const fresh = counts.total - Number(this.dataset.total);
    if (pill) { pill.hidden = fresh <= 0; pill.textContent = `${fresh} ${pill.dataset.new}`; }
  }
});

customElements.define("submit-on-change", class extends HTMLElement {
  connectedCallback() { this.addEventListener("change", (event) => event.target.form?.requestSubmit()); }
});

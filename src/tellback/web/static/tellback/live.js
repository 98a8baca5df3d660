// <live-counts data-url data-every data-total>: numbers that stay true, and a pill for what is new. Rows never jump.
customElements.define("live-counts", class extends HTMLElement {
  connectedCallback() {
    this.timer = setInterval(() => this.poll(), Number(this.dataset.every || 20) * 1000);
  }
  disconnectedCallback() {
    clearInterval(this.timer);
  }
  async poll() {
    if (document.hidden) return;
    const headers = this.etag ? { "If-None-Match": this.etag } : {};
    const response = await fetch(this.dataset.url, { headers }).catch(() => null);
    if (response?.status !== 200) return;
    this.etag = response.headers.get("ETag");
    this.show(await response.json());
  }
  show(counts) {
    for (const [name, value] of Object.entries(counts)) {
      for (const place of this.querySelectorAll(`[data-count="${CSS.escape(name)}"]`)) place.textContent = value;
    }
    const pill = this.querySelector("[data-new]");
    const fresh = counts.total - Number(this.dataset.total);
    if (!pill || Number.isNaN(fresh)) return;
    pill.hidden = fresh <= 0;
    pill.textContent = `${fresh} ${pill.dataset.new}`;
  }
});

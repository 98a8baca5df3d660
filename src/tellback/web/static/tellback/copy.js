// <copy-text data-copy data-copied>: a button on what is to be copied. Without a script the text can be selected.
customElements.define("copy-text", class extends HTMLElement {
  connectedCallback() {
    if (!navigator.clipboard || this.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = this.dataset.copy;
    button.addEventListener("click", () => this.copy(button));
    this.append(button);
  }
  async copy(button) {
    await navigator.clipboard.writeText(this.querySelector("pre").textContent);
    button.textContent = this.dataset.copied;
    setTimeout(() => { button.textContent = this.dataset.copy; }, 2000);
  }
});

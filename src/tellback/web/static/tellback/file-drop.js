// <file-drop data-uploading>: around a label with a file input. A file that is chosen or dropped is sent at once.
customElements.define("file-drop", class extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input[type=file]");
    this.input.addEventListener("change", this.send);
    for (const kind of ["dragenter", "dragover"]) this.addEventListener(kind, this.over);
    for (const kind of ["dragleave", "drop"]) this.addEventListener(kind, this.out);
    this.addEventListener("drop", this.take);
    window.addEventListener("pageshow", this.show);
  }
  disconnectedCallback() {
    window.removeEventListener("pageshow", this.show);
  }
  over = (event) => {
    event.preventDefault();
    this.firstElementChild.classList.add("over");
  };
  out = (event) => {
    if (event.type === "drop" || !this.contains(event.relatedTarget)) this.firstElementChild.classList.remove("over");
  };
  take = (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    this.input.files = event.dataTransfer.files;
    this.send();
  };
  send = () => {
    const [file] = this.input.files;
    if (!file) return;
    this.show({ uploading: file.name });
    this.input.form.requestSubmit();
  };
  // Coming back to the page, nothing is being sent.
  show = ({ uploading }) => {
    const title = this.querySelector("[data-name]");
    this.words ??= title.textContent;
    title.textContent = uploading ? `${this.dataset.uploading} ${uploading}` : this.words;
    this.querySelector("progress").hidden = !uploading;
  };
});

// <drag-board>: a card dropped on a column does what the card's own menu does for it. Keys and touch use the menu.
customElements.define("drag-board", class extends HTMLElement {
  connectedCallback() {
    for (const card of this.querySelectorAll(".card")) card.draggable = true;
    for (const kind of ["dragstart", "dragover", "dragleave", "drop", "dragend"]) this.addEventListener(kind, this);
  }
  disconnectedCallback() {
    for (const kind of ["dragstart", "dragover", "dragleave", "drop", "dragend"]) this.removeEventListener(kind, this);
  }
  handleEvent(event) {
    this[event.type](event, event.target.closest("[data-drop]"));
  }
  dragstart(event) {
    this.card = event.target.closest(".card");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setDragImage(this.card, 12, 12);
    this.card.classList.add("lifted");
  }
  button(column) {
    return column && this.card?.querySelector(`button[value="${CSS.escape(column.dataset.drop)}"]`);
  }
  dragover(event, column) {
    if (!this.button(column)) return;
    event.preventDefault();
    column.classList.add("over");
  }
  dragleave(event, column) {
    if (column && !column.contains(event.relatedTarget)) column.classList.remove("over");
  }
  drop(event, column) {
    event.preventDefault();
    this.button(column)?.click();
  }
  dragend() {
    this.card?.classList.remove("lifted");
    for (const column of this.querySelectorAll(".over")) column.classList.remove("over");
    this.card = null;
  }
});

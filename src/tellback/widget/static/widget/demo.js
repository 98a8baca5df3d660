// What a customer's own script does: hand the signed token to the widget, and open it from buttons of the page.
const token = document.currentScript.dataset.token;
window.Tellback ??= Object.assign(function later() { later.q[later.q.length] = arguments; }, { q: [] });
if (token) window.Tellback("identify", { token });
window.Tellback("metadata", { page: "Today's jobs", release: "5.2" });

addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => window.Tellback("open", { kind: button.dataset.open }));
  }
  document.querySelector("select").addEventListener("change", (event) => {
    window.Tellback("logout");
    event.target.form.submit();
  });
});

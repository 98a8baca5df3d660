// The page inside the preview: the real widget, opened, with the options of the form; what is sent stays here.
const queue = [];
const options = JSON.parse(document.currentScript.dataset.options);
window.Tellback = { q: queue };
queue.push(["init", { ...options, key: "preview", preview: true }]);
queue.push(["open"]);

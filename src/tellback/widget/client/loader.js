// The loader: a launcher, the verbs, and the calls that were queued before it came. All else is fetched when needed.
// Written so that it runs in a page that changed Array.prototype: no iteration, no array methods, no markup strings.
((setup) => {
  const NAME = "Tellback";
  const early = window[NAME];
  if (early && early.version) return;
  const LABELS = {
    en: ["Feedback", "No connection"],
    de: ["Feedback", "Keine Verbindung"],
    ar: ["ملاحظاتك", "لا يوجد اتصال"],
  };
  const listeners = {};
  const app = { setup, options: {}, meta: {}, person: null, notices: [], emit, load, paint, language };
  let pending;

  function language() {
    const wanted = [app.options.language];
    const known = navigator.languages || [];
    for (let at = 0; at < known.length; at++) wanted[at + 1] = known[at];
    for (let at = 0; at < wanted.length; at++) {
      const code = String(wanted[at] || "").slice(0, 2).toLowerCase();
      if (Object.hasOwn(LABELS, code)) return code;
    }
    return "en";
  }

  function emit(name, detail) {
    const heard = listeners[name] || [];
    for (let at = 0; at < heard.length; at++) {
      try {
        if (heard[at]) heard[at](detail);
      } catch (error) {
        console.error(error);
      }
    }
  }

  function load(chunk) {
    return import(`${setup.base}/widget/${setup.version}/${chunk}.js`);
  }

  // Black or white, whichever reads better on the colour (WCAG 2.2's relative luminance).
  function inkOn(colour) {
    let light = 0;
    for (let at = 0; at < 3; at++) {
      const part = parseInt(colour.slice(1 + 2 * at, 3 + 2 * at), 16) / 255;
      light += (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4) * [0.2126, 0.7152, 0.0722][at];
    }
    return light > 0.179 ? "#000" : "#fff";
  }

  function paint() {
    const { accent, theme, position, offsetX, offsetY, launcher, label } = app.options;
    const colour = /^#[0-9a-f]{6}$/i.test(accent) ? accent : "#1f6b52";
    const far = (value) => `${Math.min(Math.max(Number(value ?? 20) || 0, 0), 400)}px`;
    const scheme = theme === "light" || theme === "dark" ? theme : "light dark";
    app.sheet.replaceSync(`:host{all:initial!important;display:contents!important;color-scheme:${scheme}!important;` +
      `--accent:${colour}!important;--on-accent:${inkOn(colour)}!important;--x:${far(offsetX)}!important;--y:${far(offsetY)}!important}` +
      "*{box-sizing:border-box}[hidden]{display:none!important}" +
      ".launch{position:fixed;z-index:2147483646;inset-block-end:calc(var(--y) + env(safe-area-inset-bottom));inset-inline-end:var(--x);" +
      "display:flex;align-items:center;gap:8px;min-height:44px;margin:0;padding:0 16px;border:0;border-radius:22px;" +
      "background:var(--accent);color:var(--on-accent);font:600 15px/1 system-ui,sans-serif;cursor:pointer;" +
      "box-shadow:0 1px 2px #0003,0 6px 20px #0003}" +
      ".start .launch{inset-inline:var(--x) auto}" +
      ".launch:hover{filter:brightness(1.08)}" +
      ".launch:focus-visible{outline:2px solid Canvas;box-shadow:0 0 0 4px CanvasText}" +
      ".launch svg{width:20px;height:20px;fill:none;stroke:currentcolor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}" +
      ".launch b{min-width:20px;padding:3px 5px;border-radius:10px;background:var(--on-accent);color:var(--accent);font-size:13px;text-align:center}" +
      "@media (forced-colors:active){.launch{border:2px solid ButtonText}}@media print{.launch{display:none}}");
    const code = language();
    app.frame.lang = code;
    app.frame.dir = code === "ar" ? "rtl" : "ltr";
    app.frame.className = position === "start" ? "start" : "";
    app.launcher.hidden = launcher === false;
    app.caption.textContent = typeof label === "string" && label.trim() ? label.trim().slice(0, 40) : LABELS[code][0];
    app.count.hidden = !app.notices.length;
    app.count.textContent = app.notices.length;
  }

  class Widget extends HTMLElement {
    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      app.sheet = new CSSStyleSheet();
      root.adoptedStyleSheets[0] = app.sheet;
      const draw = (name, space) => document.createElementNS(`http://www.w3.org/${space || "1999/xhtml"}`, name);
      app.frame = draw("div");
      app.launcher = draw("button");
      app.launcher.type = "button";
      app.launcher.className = "launch";
      app.launcher.setAttribute("aria-haspopup", "dialog");
      app.launcher.setAttribute("aria-expanded", "false");
      const icon = draw("svg", "2000/svg");
      const path = draw("path", "2000/svg");
      icon.setAttribute("viewBox", "0 0 24 24");
      icon.setAttribute("aria-hidden", "true");
      path.setAttribute("d", "M21 11.5a8.4 8.4 0 0 1-12.3 7.4L3 21l2.1-5.7A8.4 8.4 0 1 1 21 11.5z");
      icon.append(path);
      app.caption = draw("span");
      app.count = draw("b");
      app.launcher.append(icon, app.caption, app.count);
      app.launcher.addEventListener("click", () => (app.shown ? verbs.close() : verbs.open()));
      app.frame.append(app.launcher);
      root.append(app.frame);
    }
  }

  function appear() {
    if (!app.host) {
      if (!customElements.get("tellback-widget")) customElements.define("tellback-widget", Widget);
      app.host = document.createElement("tellback-widget");
    }
    if (!app.host.isConnected) document.documentElement.append(app.host);
    paint();
  }

  const verbs = {
    init(options) {
      const first = !app.options.key;
      app.options = { ...setup.options, ...app.options, ...options };
      if (!app.options.key) return console.warn(`${NAME}: init needs a widget key`);
      appear();
      if (!first) return;
      emit("ready");
      if (app.person) verbs.identify(app.person);
      try {
        if (localStorage.getItem(`tellback:${app.options.key}`)) load("courier").then((courier) => courier.flush(app), () => {});
      } catch { /* a page without storage keeps nothing over */ }
    },
    identify(person) {
      app.person = person || null;
      app.session = app.known = null;
      if (!app.host || !app.person || !app.person.token) return;
      app.known = load("courier").then((courier) => courier.identify(app));
      app.known.catch(() => {});
    },
    logout() {
      verbs.identify();
      app.notices = [];
      if (app.host) paint();
      try {
        sessionStorage.removeItem(`tellback:${app.options.key}`);
      } catch { /* nothing was kept there either */ }
      emit("logout");
    },
    open(preset) {
      if (!app.host || pending) return;
      app.launcher.setAttribute("aria-busy", "true");
      pending = load("form")
        .then((form) => app.host && form.open(app, preset || {}))
        .catch((error) => {
          console.warn(`${NAME}: the form could not be loaded`, error);
          app.caption.textContent = LABELS[language()][1];
          setTimeout(paint, 4000);
        })
        .finally(() => {
          pending = null;
          app.launcher.removeAttribute("aria-busy");
        });
    },
    close() {
      if (app.shown) app.shown.close();
    },
    metadata(patch) {
      Object.assign(app.meta, patch);
    },
    on(name, listener) {
      const heard = listeners[name] || (listeners[name] = []);
      const place = heard.length;
      heard[place] = listener;
      return () => { heard[place] = null; };
    },
    destroy() {
      verbs.close();
      if (app.stop) app.stop();
      if (app.host) app.host.remove();
      app.host = null;
      delete window[NAME];
    },
  };

  function Tellback(verb) {
    if (!Object.hasOwn(verbs, verb)) return console.warn(`${NAME}: there is no “${verb}”`);
    return verbs[verb](arguments[1], arguments[2]);
  }
  Tellback.version = setup.version;

  const start = () => {
    window[NAME] = Tellback;
    const calls = (early && early.q) || [];
    if (setup.options.key) verbs.init();
    for (let at = 0; at < calls.length; at++) Tellback(calls[at][0], calls[at][1], calls[at][2]);
  };
  start();
})

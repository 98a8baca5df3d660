// The panel: a form, and what became of it. Built by hand from elements, so that no page's policy is in the way.
import { newKey, seen, submit } from "./courier.js";
import style from "./style.js";

const KINDS = { 0: "bug", 1: "feature", 2: "question", 3: "praise", length: 4 };
const STAR = "m12 3 2.7 5.8 6.3.7-4.7 4.3 1.3 6.2L12 16.9 6.4 20l1.3-6.2L3 9.5l6.3-.7z";
const CROSS = "M6 6l12 12M18 6 6 18";
const CHECK = "m5 12.5 4.5 4.5L19 7.5";
const MOST_FACTS = 40;
const ADDRESS = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;

// Text that the server takes: no longer than this, without NUL and halves of characters.
const clean = (text, most) => String(text ?? "").slice(0, most).replace(/[\0\ud800-\udfff]/gu, "");

// What the page said of itself, flat and short, so that nothing in it can cost somebody their message.
function facts(given) {
  const told = { locale: clean(navigator.language, 40), viewport: `${innerWidth}x${innerHeight}` };
  const names = Object.keys(given);
  for (let at = 0; at < names.length && at < MOST_FACTS; at++) {
    const value = given[names[at]];
    const plain = typeof value === "boolean" || Number.isFinite(value);
    told[clean(names[at], 100)] = plain ? value : clean(value, 500);
  }
  return told;
}

// An element with properties; what begins with a capital or a dash is set as an attribute.
export function make(tag, properties, children) {
  const element = document.createElement(tag);
  const names = Object.keys(properties || {});
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (name in element) element[name] = properties[name];
    else element.setAttribute(name, properties[name]);
  }
  for (let at = 0; children && at < children.length; at++) if (children[at]) element.append(children[at]);
  return element;
}

export function icon(shape, name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("class", name || "small");
  path.setAttribute("d", shape);
  drawing.append(path);
  return drawing;
}

export async function open(app, preset) {
  if (!app.shown) {
    const words = await app.load(`words-${app.language()}`);
    app.shown = new Panel(app, words.default);
  }
  app.shown.fill(preset);
}

class Panel {
  constructor(app, words) {
    this.app = app;
    this.say = words;
    this.pictures = [];
    const root = app.host.shadowRoot;
    if (!app.dressed) {
      app.dressed = new CSSStyleSheet();
      app.dressed.replaceSync(style);
      root.adoptedStyleSheets[1] = app.dressed;
    }
    this.before = root.activeElement || document.activeElement;
    this.element = make("section", { role: "dialog", "aria-labelledby": "title", className: "panel", tabIndex: -1 });
    this.element.addEventListener("keydown", (event) => this.key(event));
    // What is typed here is no shortcut of the page around it.
    for (let at = 0, names = "keyup keypress input paste".split(" "); at < names.length; at++) {
      this.element.addEventListener(names[at], (event) => event.stopPropagation());
    }
    app.frame.append(this.element);
    app.launcher.setAttribute("aria-expanded", "true");
    this.form();
    app.emit("open");
  }

  key(event) {
    event.stopPropagation();
    if (event.key === "Escape" && !event.isComposing) this.close();
  }

  close() {
    const { app, element, before } = this;
    app.shown = null;
    const inside = app.host.shadowRoot.activeElement;
    element.remove();
    app.launcher.setAttribute("aria-expanded", "false");
    if (inside && before && before.isConnected) before.focus();
    if (inside && !app.launcher.hidden && (!before || before === document.body)) app.launcher.focus();
    app.emit("close");
  }

  show(title, children) {
    const { say, element } = this;
    this.title = make("h2", { id: "title", tabIndex: -1, textContent: title });
    const close = make("button", { type: "button", className: "icon", "aria-label": say.close }, [icon(CROSS)]);
    close.addEventListener("click", () => this.close());
    element.replaceChildren();
    element.append(make("header", {}, [this.title, close]), make("div", { className: "body" }, children));
  }

  form() {
    const { app, say } = this;
    const { rating, screenshot } = app.options;
    const form = make("form", { noValidate: true });
    this.message = make("textarea", { id: "message", required: true, maxLength: 10000, placeholder: say.hint, "aria-describedby": "wrong" });
    this.wrong = make("p", { id: "wrong", className: "bad", role: "alert" });
    this.send = make("button", { type: "submit", className: "main", textContent: say.send });
    this.strip = make("div", { className: "shots" });
    const label = make("label", { htmlFor: "message", className: "label", textContent: say.message });
    const parts = [
      this.news(),
      make("div", { className: "field" }, [label, this.message, this.wrong]),
      this.kinds(),
      rating === false ? null : this.stars(),
      screenshot === false ? null : this.shots(),
      this.who(),
      this.send,
    ];
    for (let at = 0; at < parts.length; at++) if (parts[at]) form.append(parts[at]);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.message.addEventListener("paste", (event) => this.pasted(event));
    this.show(say.title, [form]);
    this.message.focus();
  }

  news() {
    const { app, say } = this;
    if (!app.notices.length) return null;
    const list = make("div", { className: "news" }, [make("p", { textContent: say.shipped })]);
    for (let at = 0; at < app.notices.length; at++) {
      const notice = app.notices[at];
      list.append(make("a", { href: notice.url, target: "_blank", rel: "noopener", textContent: notice.title }));
    }
    seen(app);
    return list;
  }

  kinds() {
    const { app, say } = this;
    const kinds = app.options.kinds || KINDS;
    if (kinds.length < 2) return null;
    const row = make("div", { className: "kinds" });
    this.kind = [];
    for (let at = 0; at < kinds.length; at++) {
      const input = make("input", { type: "radio", name: "kind", value: kinds[at] });
      this.kind[at] = input;
      row.append(make("label", { className: "chip" }, [input, say[kinds[at]] || kinds[at]]));
    }
    return make("fieldset", {}, [make("legend", { textContent: say.kind }), row]);
  }

  stars() {
    const { say } = this;
    const row = make("div", { className: "stars" });
    const stars = [];
    const paint = () => {
      for (let at = 0; at < 5; at++) stars[at].parentNode.classList.toggle("on", at < this.rating);
    };
    this.rating = 0;
    for (let at = 0; at < 5; at++) {
      const input = make("input", { type: "radio", name: "rating", value: at + 1, "aria-label": `${at + 1} ${say.stars}` });
      stars[at] = input;
      input.addEventListener("change", () => { this.rating = at + 1; paint(); });
      // A second click on the same star takes the rating back.
      let was = 0;
      input.addEventListener("pointerdown", () => { was = this.rating; });
      input.addEventListener("click", () => {
        if (was !== at + 1) return;
        input.checked = false;
        this.rating = was = 0;
        paint();
      });
      row.append(make("label", { className: "star" }, [icon(STAR, "shape"), input]));
    }
    return make("fieldset", {}, [make("legend", { textContent: say.rating }), row]);
  }

  shots() {
    const { say } = this;
    const choose = make("button", { type: "button", textContent: say.choose });
    choose.addEventListener("click", () => this.picture((shot) => shot.choose(this)));
    const buttons = [choose];
    if (navigator.mediaDevices && navigator.mediaDevices.getDisplayMedia) {
      buttons[1] = make("button", { type: "button", textContent: say.capture });
      buttons[1].addEventListener("click", () => this.picture((shot) => shot.capture(this)));
    }
    return make("fieldset", {}, [make("legend", { textContent: say.shot }), make("div", { className: "row" }, buttons), this.strip]);
  }

  pasted(event) {
    const files = event.clipboardData && event.clipboardData.files;
    if (!files || !files.length || this.app.options.screenshot === false || !files[0].type.startsWith("image/")) return;
    event.preventDefault();
    this.picture((shot) => shot.edit(this, files[0]));
  }

  async picture(act) {
    this.wrong.textContent = "";
    try {
      await act(await this.app.load("shot"));
    } catch (error) {
      if (!error || error.name !== "NotAllowedError") this.wrong.textContent = this.say.shotFailed;
    }
  }

  who() {
    const { app, say } = this;
    const person = app.person;
    if (person && (person.token || ADDRESS.test(person.email))) {
      const name = (app.session && app.session.name) || person.name || person.email;
      return name ? make("p", { className: "who", textContent: `${say.as} ${name}` }) : null;
    }
    this.email = make("input", {
      type: "email", id: "email", name: "email", autocomplete: "email", maxLength: 254, dir: "ltr", "aria-describedby": "email-hint",
    });
    return make("div", { className: "field" }, [
      make("label", { htmlFor: "email", className: "label", textContent: say.email }),
      this.email,
      make("p", { id: "email-hint", className: "hint", textContent: say.emailHint }),
    ]);
  }

  fill(preset) {
    if (preset.message && !this.message.value) this.message.value = String(preset.message);
    for (let at = 0; this.kind && at < this.kind.length; at++) {
      if (this.kind[at].value === preset.kind) this.kind[at].checked = true;
    }
    if (preset.title) this.title.textContent = String(preset.title);
    this.chosen = preset.kind;
  }

  // The first thing that is wrong is said, and focus goes there.
  isRight() {
    const { say, message, email } = this;
    message.removeAttribute("aria-invalid");
    if (email) email.removeAttribute("aria-invalid");
    let field = null;
    if (!message.value.trim()) field = message;
    else if (email && email.value.trim() && !ADDRESS.test(email.value.trim())) field = email;
    this.wrong.textContent = field ? (field === message ? say.empty : say.badEmail) : "";
    if (!field) return true;
    field.setAttribute("aria-invalid", "true");
    field.focus();
    return false;
  }

  async submit() {
    const { app, say, send } = this;
    if (send.getAttribute("aria-disabled") || !this.isRight()) return;
    send.setAttribute("aria-disabled", "true");
    send.textContent = say.sending;
    const answer = app.options.preview ? { receipt: "#" } : await submit(app, this.body(), this.added());
    send.removeAttribute("aria-disabled");
    send.textContent = say.send;
    if (answer.receipt || answer.kept) this.thank(answer);
    else this.wrong.textContent = answer.full ? say.full : say.refused;
  }

  added() {
    const pictures = [];
    for (let at = 0; at < this.pictures.length; at++) {
      if (this.pictures[at]) pictures[pictures.length] = this.pictures[at];
    }
    return pictures;
  }

  body() {
    const { app } = this;
    const person = app.person;
    let category = this.chosen || "other";
    for (let at = 0; this.kind && at < this.kind.length; at++) if (this.kind[at].checked) category = this.kind[at].value;
    const body = {
      idempotencyKey: newKey(),
      channel: "in-app",
      category,
      content: clean(this.message.value.trim(), 10000),
      timestamp: new Date().toISOString(),
      context: {
        pageContext: {
          url: clean(location.origin + location.pathname + location.search, 2000),
          title: clean(document.title, 300),
          userAgent: clean(navigator.userAgent, 500),
        },
        metadata: facts(app.meta),
      },
    };
    if (this.rating) body.rating = this.rating;
    const stated = person && !person.token ? person : {};
    const email = (this.email && this.email.value.trim()) || clean(stated.email, 254);
    const author = {};
    if (email) author.email = email;
    if (stated.name) author.name = clean(stated.name, 200);
    if (stated.id) author.externalUserId = clean(stated.id, 200);
    if (email || stated.name || stated.id) body.author = author;
    return body;
  }

  thank(answer) {
    const { say, app } = this;
    const link = make("a", { className: "button main", target: "_blank", rel: "noopener", textContent: say.receipt });
    if (answer.receipt) link.href = answer.receipt;
    const again = make("button", { type: "button", textContent: say.again });
    again.addEventListener("click", () => {
      this.pictures = [];
      this.form();
    });
    this.show(answer.receipt ? say.sent : say.kept, [
      answer.receipt ? icon(CHECK, "done") : null,
      make("p", { className: "said", textContent: this.message.value.trim(), dir: "auto", tabIndex: 0 }),
      make("p", { className: "hint", textContent: answer.receipt ? say.sentHint : say.keptHint }),
      answer.receipt ? link : null,
      again,
    ]);
    this.title.focus();
    if (answer.kept) app.emit("kept");
  }
}

// Pictures: pasted, chosen, or captured when the person says so; parts can be hidden before anything is kept or sent.
import { icon, make } from "./form.js";

const MOST = 3;
const WIDEST = 1920;
const MOST_BYTES = 600e3;
const CROSS = "M6 6l12 12M18 6 6 18";
const WORDS = {
  en: {
    hide: "Hide something", done: "Done",
    hideHint: "Draw over what nobody should see. With the keyboard: add a box, move it with the arrow keys, resize it with Shift and the arrow keys.",
    box: "Hidden area", remove: "Remove", picture: "Picture",
  },
  de: {
    hide: "Etwas verdecken", done: "Fertig",
    hideHint: "Übermalen Sie, was niemand sehen soll. Mit der Tastatur: Feld hinzufügen, mit den Pfeiltasten bewegen, mit Umschalt und Pfeiltasten vergrößern.",
    box: "Verdeckter Bereich", remove: "Entfernen", picture: "Bild",
  },
  ar: {
    hide: "أخفِ شيئاً", done: "تم",
    hideHint: "ارسم فوق ما لا ينبغي أن يراه أحد. بلوحة المفاتيح: أضف مربعاً، وحرّكه بالأسهم، وغيّر حجمه بمفتاح Shift والأسهم.",
    box: "منطقة مخفية", remove: "إزالة", picture: "صورة",
  },
};

export function choose(panel) {
  const input = make("input", { type: "file", accept: "image/png,image/jpeg,image/webp,image/gif" });
  return new Promise((done, fail) => {
    input.addEventListener("change", () => edit(panel, input.files[0]).then(done, fail));
    input.addEventListener("cancel", () => done());
    input.click();
  });
}

export async function capture(panel) {
  panel.element.hidden = true;
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: true, preferCurrentTab: true });
    const video = make("video", { muted: true, srcObject: stream });
    await video.play();
    await new Promise((done) => setTimeout(done, 300));
    const canvas = drawn(video, video.videoWidth, video.videoHeight);
    const tracks = stream.getTracks();
    for (let at = 0; at < tracks.length; at++) tracks[at].stop();
    return arrange(panel, canvas);
  } finally {
    panel.element.hidden = false;
  }
}

export async function edit(panel, file) {
  const image = await createImageBitmap(file);
  return arrange(panel, drawn(image, image.width, image.height));
}

function drawn(source, width, height) {
  const scale = Math.min(1, WIDEST / Math.max(width, height));
  const canvas = make("canvas", { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) });
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

// The editor: the picture with boxes over what nobody should see.
function arrange(panel, canvas) {
  const { app } = panel;
  const say = WORDS[app.language()];
  const boxes = [];
  const stage = make("div", { className: "stage" }, [canvas]);
  const button = (text, act, look) => {
    const made = make("button", { type: "button", className: look || "", textContent: text });
    made.addEventListener("click", act);
    return made;
  };
  const hide = button(say.hide, () => add(0.35, 0.4, 0.3, 0.2).focus());
  const editor = make("section", { role: "dialog", "aria-modal": "true", "aria-label": say.picture, className: "panel editor" }, [
    make("p", { className: "hint", textContent: say.hideHint }),
    stage,
    make("div", { className: "row" }, [hide, button(say.done, finish, "main"), button(say.remove, leave)]),
  ]);

  function place(box) {
    const names = ["left", "top", "width", "height"];
    for (let at = 0; at < 4; at++) box.style.setProperty(names[at], `${box.at[at] * 100}%`);
  }

  function add(left, top, width, height) {
    const box = make("div", { className: "box", tabIndex: 0, role: "group", "aria-label": `${say.box} ${boxes.length + 1}` });
    box.at = [left, top, width, height];
    boxes[boxes.length] = box;
    box.addEventListener("keydown", (event) => move(box, event));
    stage.append(box);
    place(box);
    return box;
  }

  function move(box, event) {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, -1], ArrowDown: [1, 1] };
    if (event.key === "Delete" || event.key === "Backspace") {
      box.at = null;
      box.remove();
      hide.focus();
    } else if (Object.hasOwn(steps, event.key)) {
      event.preventDefault();
      const axis = steps[event.key][0] + (event.shiftKey ? 2 : 0);
      const start = axis % 2;
      const least = axis < 2 ? 0 : 0.02;
      const most = axis < 2 ? 1 - box.at[start + 2] : 1 - box.at[start];
      box.at[axis] = Math.min(Math.max(box.at[axis] + 0.02 * steps[event.key][1], least), most);
      place(box);
    }
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || event.target !== canvas) return;
    event.preventDefault();
    const area = canvas.getBoundingClientRect();
    const across = (now) => Math.min(Math.max((now.clientX - area.left) / area.width, 0), 1);
    const down = (now) => Math.min(Math.max((now.clientY - area.top) / area.height, 0), 1);
    const x = across(event);
    const y = down(event);
    const box = add(x, y, 0, 0);
    const drag = (now) => {
      box.at = [Math.min(x, across(now)), Math.min(y, down(now)), Math.abs(across(now) - x), Math.abs(down(now) - y)];
      place(box);
    };
    const drop = () => {
      stage.removeEventListener("pointermove", drag);
      if (box.at && box.at[2] * box.at[3] > 0.0001) return;
      box.at = null;
      box.remove();
    };
    stage.setPointerCapture(event.pointerId);
    stage.addEventListener("pointermove", drag);
    stage.addEventListener("pointerup", drop, { once: true });
    stage.addEventListener("pointercancel", drop, { once: true });
  });

  function leave() {
    editor.remove();
    panel.element.hidden = false;
    panel.message.focus();
  }

  async function finish() {
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#000";
    for (let at = 0; at < boxes.length; at++) {
      const part = boxes[at].at;
      if (part) pen.fillRect(part[0] * canvas.width, part[1] * canvas.height, part[2] * canvas.width, part[3] * canvas.height);
    }
    const picture = await packed(canvas);
    // Pressed twice, or left meanwhile.
    if (!editor.isConnected) return;
    leave();
    if (picture) keep(panel, canvas, picture);
    else panel.wrong.textContent = panel.say.shotFailed;
  }

  editor.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") leave();
    if (event.key !== "Tab") return;
    const stops = editor.querySelectorAll(".box, button");
    const edge = stops[event.shiftKey ? 0 : stops.length - 1];
    if (edge !== app.host.shadowRoot.activeElement) return;
    event.preventDefault();
    stops[event.shiftKey ? stops.length - 1 : 0].focus();
  });
  if (!app.editorDressed) {
    app.editorDressed = new CSSStyleSheet();
    app.editorDressed.replaceSync(STYLE);
    app.host.shadowRoot.adoptedStyleSheets[2] = app.editorDressed;
  }
  panel.element.hidden = true;
  app.frame.append(editor);
  hide.focus();
}

// As small as it must be to travel: WebP or JPEG, coarser until it fits.
async function packed(canvas) {
  const qualities = [0.85, 0.65, 0.45];
  for (let at = 0; at < 3; at++) {
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", qualities[at]));
    if (blob && (blob.size <= MOST_BYTES || at === 2)) return blob;
  }
  return null;
}

function keep(panel, canvas, picture) {
  const say = WORDS[panel.app.language()];
  const place = panel.pictures.length;
  if (panel.added().length >= MOST) return;
  panel.pictures[place] = picture;
  const remove = make("button", { type: "button", "aria-label": `${say.remove}: ${say.picture} ${place + 1}` }, [icon(CROSS)]);
  const figure = make("figure", {}, [canvas, remove]);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${say.picture} ${place + 1}`);
  remove.addEventListener("click", () => {
    panel.pictures[place] = null;
    figure.remove();
    panel.message.focus();
  });
  panel.strip.append(figure);
}

// The stage is exactly as large as the picture, so that a box hides what it covers and nothing else.
const STYLE = `
.panel.editor{inset:16px;width:auto;max-width:none;max-height:none;justify-content:space-between;gap:12px;padding:16px}
.editor .stage{position:relative;align-self:center;max-width:100%;touch-action:none;cursor:crosshair;overflow:hidden}
.editor canvas{display:block;max-width:100%;max-height:calc(100dvh - 190px)}
.editor .box{position:absolute;background:#000;cursor:default}
`;

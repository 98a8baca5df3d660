// The courier: what was written is kept on the device first, then sent, and sent again until it has arrived.
// One key per submission is made before the first attempt, so that the server counts it once however often it is sent.
const MOST_ITEMS = 20;
const MOST_BYTES = 2 * 1024 * 1024;
const DAY = 86400e3;
const WEEK = 7 * DAY;
const PATIENCE = 15e3;
const LONGEST = 20e3;
const KEEPALIVE_BYTES = 30e3;

const storageOf = (app) => `tellback:${app.options.key}`;
const ours = {};

// IndexedDB, or memory where the page may not use it.
let memory = null;

function database(mode, act) {
  return new Promise((done, fail) => {
    const opening = indexedDB.open("tellback", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("outbox", { keyPath: "id" });
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("outbox", mode);
      const request = act(transaction.objectStore("outbox"));
      transaction.oncomplete = () => { opening.result.close(); done(request.result); };
      transaction.onabort = () => { opening.result.close(); fail(transaction.error); };
    };
  });
}

async function stored(mode, act, remembered) {
  if (!memory) {
    try {
      return await database(mode, act);
    } catch (error) {
      if (error && error.name === "QuotaExceededError") throw error;
      memory = {};
    }
  }
  return remembered();
}

const put = (item) => stored("readwrite", (store) => store.put(item), () => { memory[item.id] = item; });
const drop = (id) => stored("readwrite", (store) => store.delete(id), () => { delete memory[id]; });
const get = (id) => stored("readonly", (store) => store.get(id), () => memory[id]);
const all = () => stored("readonly", (store) => store.getAll(), () => Object.values(memory));

// What waits for this key; what arrived is forgotten after a day, what never did after a week.
async function waiting(app) {
  const items = await all();
  const found = [];
  for (let at = 0; at < items.length; at++) {
    const item = items[at];
    if (Date.now() - item.at > (item.receipt ? DAY : WEEK)) await drop(item.id);
    else if (item.key === app.options.key && !item.receipt) found[found.length] = item;
  }
  try {
    if (found.length) localStorage.setItem(storageOf(app), found.length);
    else localStorage.removeItem(storageOf(app));
  } catch { /* then the next page looks when the form is opened */ }
  return found;
}

export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let hex = "";
  for (let at = 0; at < 16; at++) hex += (bytes[at] + 256).toString(16).slice(1);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function sizeOf(item) {
  let bytes = item.body.length;
  for (let at = 0; at < item.pictures.length; at++) bytes += item.pictures[at].size;
  return bytes;
}

// Waits for something, but not for ever and whatever becomes of it.
const settled = (promise, patience) => new Promise((done) => {
  setTimeout(done, patience);
  promise.then(done, done);
});

// Keeps one submission and tries to send it. Answers {receipt}, {kept: true}, {full: true} or {refused: words}.
export async function submit(app, body, pictures) {
  if (app.known) await settled(app.known, PATIENCE / 3);
  const held = await waiting(app);
  const id = body.idempotencyKey;
  const item = {
    id, pictures, key: app.options.key, at: Date.now(), due: 0, hold: 0, tries: 0,
    body: JSON.stringify(body), session: session(app),
  };
  let bytes = sizeOf(item);
  for (let at = 0; at < held.length; at++) bytes += sizeOf(held[at]);
  if (held.length >= MOST_ITEMS || bytes > MOST_BYTES) return { full: true };
  try {
    await put(item);
  } catch {
    return { full: true };
  }
  ours[id] = item;
  await waiting(app);
  await settled(flush(app, true), LONGEST);
  const now = await get(id);
  if (now && now.receipt) return { receipt: now.receipt };
  return now ? { kept: true } : { refused: refusals[id] || "" };
}

const refusals = {};

// Sends what is due, one after another, while no other tab does.
export async function flush(app, now) {
  watch(app);
  if (navigator.onLine === false) return;
  const run = async () => {
    const items = await waiting(app);
    for (let at = 0; at < items.length; at++) {
      const item = items[at];
      if (item.hold <= Date.now() && (now || item.due <= Date.now())) await attempt(app, item);
    }
    plan(app, await waiting(app));
  };
  if (navigator.locks) await navigator.locks.request(storageOf(app), run);
  else await run();
}

function plan(app, items) {
  clearTimeout(app.timer);
  let next = Infinity;
  for (let at = 0; at < items.length; at++) next = Math.min(next, Math.max(items[at].due, items[at].hold));
  if (next < Infinity) app.timer = setTimeout(() => flush(app), Math.max(next - Date.now(), 1000));
}

function request(app, item) {
  const headers = { "X-Widget-Key": item.key, "Idempotency-Key": item.id };
  if (item.session) headers["X-Widget-Session"] = item.session;
  const { pictures } = item;
  let { body } = item;
  if (pictures.length) {
    body = new FormData();
    body.append("feedback", item.body);
    for (let at = 0; at < pictures.length; at++) body.append("files", pictures[at], `picture-${at + 1}.jpg`);
  } else headers["Content-Type"] = "application/json";
  const small = sizeOf(item) < KEEPALIVE_BYTES;
  const signal = AbortSignal.timeout ? AbortSignal.timeout(PATIENCE) : undefined;
  return fetch(`${app.setup.base}/v2/feedback`, {
    method: "POST", credentials: "omit", keepalive: small, headers, body, signal,
  });
}

async function attempt(app, item, renewed) {
  let response;
  item.tries += 1;
  try {
    response = await request(app, item);
    const answer = await response.json();
    if (response.ok) return arrived(app, item, answer.receipt);
    if (answer.code === "widget-session-ended" && !renewed) {
      await renew(app, item);
      return attempt(app, item, true);
    }
    if (response.status < 500 && response.status !== 408 && response.status !== 429) {
      return refuse(app, item, answer.detail);
    }
  } catch { /* no connection, no answer in time, or an answer that is not ours: try again later */ }
  await later(item, response);
}

async function arrived(app, item, receipt) {
  await put({ id: item.id, key: item.key, at: Date.now(), receipt });
  delete ours[item.id];
  app.emit("sent", { receipt });
}

async function refuse(app, item, detail) {
  console.warn(`Tellback: ${detail}`);
  refusals[item.id] = String(detail);
  await drop(item.id);
  delete ours[item.id];
  app.emit("refused", { detail });
}

// The word for who somebody is lasts an hour; what waited longer is sent with a fresh one of the same person, or none.
async function renew(app, item) {
  const mine = item.session === session(app);
  item.session = null;
  if (mine) {
    const fresh = await identify(app, true).catch(() => null);
    item.session = fresh && fresh.session;
  }
}

async function later(item, response) {
  const said = response && response.headers.get("Retry-After");
  const wait = said && (Number(said) * 1000 || Date.parse(said) - Date.now());
  item.hold = wait > 0 ? Date.now() + Math.min(wait, DAY) : 0;
  item.due = Date.now() + Math.min(900e3, 1000 * 2 ** item.tries) * (0.5 + Math.random());
  if (ours[item.id]) ours[item.id] = item;
  await put(item);
}

// Comes back when the connection does; when the page goes, sends what waits without waiting for the answer.
function watch(app) {
  if (app.stop) return;
  const again = () => flush(app, true);
  const leaving = () => {
    const ids = Object.keys(ours);
    for (let at = 0; at < ids.length; at++) {
      const item = ours[ids[at]];
      if (sizeOf(item) < KEEPALIVE_BYTES && item.hold <= Date.now()) request(app, item).catch(() => {});
    }
  };
  addEventListener("online", again);
  addEventListener("pagehide", leaving);
  app.stop = () => {
    clearTimeout(app.timer);
    removeEventListener("online", again);
    removeEventListener("pagehide", leaving);
    app.stop = null;
  };
}

// Identity: a signed token is exchanged once for a session, which is kept for this tab.
const session = (app) => (app.session ? app.session.session : null);

export async function identify(app, anew) {
  const person = app.person;
  const token = typeof person.token === "function" ? await person.token() : person.token;
  const subject = token && JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub;
  const known = anew ? null : remembered(app);
  if (known && known.subject === subject && known.until > Date.now()) app.session = known;
  else {
    const answer = await call(app, "identity", { token });
    app.session = { subject, session: answer.session, until: Date.now() + (answer.lasts - 60) * 1000, name: answer.name };
    remember(app, app.session);
  }
  if (app.person !== person) return null;
  app.emit("identified", { id: subject });
  await look(app).catch((error) => (error.code === "widget-session-ended" && !anew ? identify(app, true) : null));
  return app.session;
}

function remembered(app) {
  try {
    return JSON.parse(sessionStorage.getItem(storageOf(app)));
  } catch {
    return null;
  }
}

function remember(app, value) {
  try {
    sessionStorage.setItem(storageOf(app), JSON.stringify(value));
  } catch { /* then the next page asks again */ }
}

async function call(app, what, body) {
  const headers = { "X-Widget-Key": app.options.key };
  if (body) headers["Content-Type"] = "application/json";
  if (session(app)) headers["X-Widget-Session"] = session(app);
  const response = await fetch(`${app.setup.base}/widget/${what}`, {
    method: body ? "POST" : "GET", credentials: "omit", headers, body: body ? JSON.stringify(body) : undefined,
  });
  const answer = response.status === 204 ? {} : await response.json();
  if (response.ok) return answer;
  console.warn(`Tellback: ${answer.detail}`);
  throw Object.assign(new Error(answer.detail), { code: answer.code });
}

// What shipped for this person since they last looked.
async function look(app) {
  const answer = await call(app, "notices");
  app.notices = answer.notices;
  app.paint();
  if (app.notices.length) app.emit("notices", { count: app.notices.length });
}

export async function seen(app) {
  const through = app.notices.length ? app.notices[0].id : null;
  app.notices = [];
  app.paint();
  if (through) await call(app, "notices", { through }).catch(() => {});
}

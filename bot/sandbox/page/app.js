// The workspace page: asks the sandbox for the picture after every change, and draws what differs.

import { blocks } from "./blocks.js";
import { confirmed, drawModal, field } from "./dialogs.js";
import { h, link, reconcile } from "./dom.js";
import { drawMessage } from "./messages.js";
import { plain } from "./mrkdwn.js";

const byId = (id) => document.getElementById(id);
const HOME = "home";
const REDRAW_AFTER_MS = 60;
const NEAR_BOTTOM_PX = 80;
const TOAST_MS = 6000;

const page = {
  me: localStorage.getItem("sandbox-person") ?? "U0ALICE",
  place: null, // a channel's id, or HOME
  thread: null, // ts of the open thread's parent
  chose: false, // whether the reader has opened or closed a thread: then none opens by itself
  seen: {}, // last ts read, by channel
  picture: null,
};

// ── asking ──────────────────────────────────────────────────────────────────────────────────────────

async function refresh() {
  const response = await fetch(`state?as=${encodeURIComponent(page.me)}`);
  if (!response.ok) return;
  page.picture = await response.json();
  draw();
}

let waiting = null;
function refreshSoon() {
  waiting ??= setTimeout(() => {
    waiting = null;
    refresh().catch(() => status("The sandbox does not answer."));
  }, REDRAW_AFTER_MS);
}

/** Do something as the person; a refusal is shown, and the answer returned. */
async function act(name, body) {
  try {
    const response = await fetch(name, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ as: page.me, ...body }),
    });
    const answer = await response.json();
    if (!answer.ok) toast(answer.error);
    else if (answer.acknowledged === false) toast("The bot did not acknowledge this.");
    return answer;
  } catch {
    toast("The sandbox does not answer.");
    return { ok: false };
  } finally {
    refreshSoon();
  }
}

function listen() {
  const events = new EventSource("events");
  events.onopen = () => status("Live");
  events.onmessage = refreshSoon;
  events.onerror = () => status("Connection lost, trying again …");
}

function status(text) {
  byId("connection").textContent = text;
}

let toastEnds = null;
function toast(text) {
  const box = byId("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => (box.hidden = true), TOAST_MS);
}

// ── drawing ─────────────────────────────────────────────────────────────────────────────────────────

function names() {
  const channels = Object.fromEntries(page.picture.channels.map((one) => [one.id, one.name]));
  return { users: page.picture.users, groups: page.picture.groups, channels };
}

function draw() {
  const { picture } = page;
  const known = picture.channels.some((one) => one.id === page.place);
  if (!known && page.place !== HOME) page.place = picture.channels[0]?.id ?? HOME;
  openFirstAnswer();
  drawRail();
  drawTitle();
  drawThread(); // before the messages: an open thread changes how tall they are
  drawMessages();
  drawSide();
  drawModal(picture.modal, modalTools());
}

/** Open the thread in which the bot answered, until the reader chooses threads for themselves. */
function openFirstAnswer() {
  if (page.chose || page.thread || page.place === HOME) return;
  const answer = (page.picture.messages[page.place] ?? []).find(
    (one) => one.author === page.picture.app.id && one.thread_ts && one.thread_ts !== one.ts);
  if (answer) page.thread = answer.thread_ts;
}

function drawRail() {
  const { picture } = page;
  byId("team").textContent = picture.team;
  byId("home").textContent = picture.app.real_name;
  byId("home").setAttribute("aria-current", String(page.place === HOME));
  reconcile(byId("person"), picture.people, (one) => one.id, (one) =>
    h("option", { value: one.id }, one.real_name));
  byId("person").value = page.me;
  const items = picture.channels.map((one) => ({
    id: one.id,
    name: channelName(one),
    here: one.id === page.place,
    unread: one.id !== page.place && lastTs(one.id) > (page.seen[one.id] ?? ""),
  }));
  reconcile(byId("channels"), items, (one) => one.id, (one) =>
    h("li", {}, h("button", {
      type: "button",
      class: `rail-item ${one.unread ? "unread" : ""}`,
      "aria-current": String(one.here),
      "data-focus": one.id,
      onclick: () => go(one.id),
    }, one.name, one.unread ? h("span", { class: "dot", role: "img", "aria-label": "new messages" }) : null)));
}

function channelName(one) {
  if (one.kind === "im") return page.picture.users[one.with]?.real_name ?? "Direct message";
  return one.kind === "group" ? `${one.name} (private)` : `# ${one.name}`;
}

function lastTs(channel) {
  return page.picture.messages[channel]?.at(-1)?.ts ?? "";
}

function drawTitle() {
  const channel = page.picture.channels.find((one) => one.id === page.place);
  byId("title").textContent = channel ? channelName(channel) : page.picture.app.real_name;
  byId("topic").textContent = channel ? `${channel.members} members · ${channel.topic}` : "App Home";
  byId("composer").hidden = !channel;
  byId("composer-text").placeholder = channel
    ? `Message ${channelName(channel)}, or type /rca shopify_orders` : "";
}

function drawMessages() {
  const pane = byId("messages");
  if (page.place === HOME) {
    const view = page.picture.home;
    const items = view ? [view] : [{ id: "none", blocks: [] }];
    reconcile(pane, items, (one) => `home-${one.id}`, drawHome);
    return;
  }
  const all = page.picture.messages[page.place] ?? [];
  page.seen[page.place] = lastTs(page.place);
  const shown = all.filter((one) => !isReply(one) || one.broadcast);
  const items = shown.map((message) => ({ message, answers: answersTo(message, all), open: message.ts === page.thread }));
  fill(pane, items, (item) => drawMessage(item.message, {
    ...messageTools(item.message),
    answers: item.answers,
    open: () => openThread(item.message.ts),
  }));
}

function drawThread() {
  const pane = byId("thread");
  const all = page.picture.messages[page.place] ?? [];
  const shown = page.thread ? all.filter((one) => one.ts === page.thread || one.thread_ts === page.thread) : [];
  pane.hidden = shown.length === 0;
  byId("frame").classList.toggle("with-thread", !pane.hidden);
  if (pane.hidden) return;
  byId("thread-channel").textContent = byId("title").textContent;
  const replies = byId("replies");
  const opened = replies.dataset.filled !== page.thread;
  fill(replies, shown.map((message) => ({ message })), (item) =>
    drawMessage(item.message, messageTools(item.message)));
  if (opened) showFirstAnswer(replies, shown);
  replies.dataset.filled = page.thread;
}

/** A thread opens at the bot's first answer, because its card is taller than most screens. */
function showFirstAnswer(pane, shown) {
  const answer = shown.find((one) => one.author === page.picture.app.id && isReply(one));
  const place = answer && pane.querySelector(`[data-key="${CSS.escape(answer.ts)}"]`);
  if (place) pane.scrollTop = place.offsetTop - pane.offsetTop;
}

/** Draw a list and stay at its end when the reader was there. */
function fill(pane, items, drawOne) {
  const atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < NEAR_BOTTOM_PX;
  reconcile(pane, items, (item) => item.message.ts, drawOne);
  if (atEnd || !pane.dataset.filled) pane.scrollTop = pane.scrollHeight;
  pane.dataset.filled = "yes";
}

function isReply(one) {
  return Boolean(one.thread_ts) && one.thread_ts !== one.ts;
}

function answersTo(message, all) {
  const answers = all.filter((one) => one.thread_ts === message.ts && one.ts !== message.ts);
  return { count: answers.length, last: answers.at(-1)?.ts ?? null };
}

function drawHome(view) {
  const tools = {
    names: names(),
    field,
    click: (element, choice) => askThen(element, () =>
      act("view/click", { view_id: view.id, action_id: element.action_id, choice })),
  };
  const body = view.blocks.length ? blocks(view.blocks, tools) : "The bot shows nothing here yet.";
  return h("div", { class: "home" }, body);
}

function messageTools(message) {
  return {
    names: names(),
    app: page.picture.app,
    field,
    click: (element, choice) => askThen(element, () => act("click", {
      channel: message.channel, ts: message.ts, action_id: element.action_id, choice,
    })),
    diagnose: () => act("shortcut", { channel: message.channel, ts: message.ts }),
  };
}

async function askThen(element, then) {
  if (!element.confirm || (await confirmed(element.confirm))) await then();
}

function modalTools() {
  return {
    names: names(),
    close: () => act("view/close", {}),
    submit: (values) => act("view/submit", { values }),
    click: (element, choice) => act("view/click", {
      view_id: page.picture.modal.id, action_id: element.action_id, choice,
    }),
    suggest: async (actionId, value) =>
      (await act("view/suggest", { action_id: actionId, value })).options ?? [],
  };
}

function drawSide() {
  const { picture } = page;
  reconcile(byId("steps"), picture.steps, (one) => one.title, (one) =>
    h("li", { class: one.done ? "done" : "" },
      h("span", { class: "tick", role: "img", "aria-label": one.done ? "done" : "to do" }, one.done ? "✓" : ""),
      h("div", {}, h("strong", {}, one.title), h("p", { class: "small" }, one.hint))));
  reconcile(byId("offers"), picture.offers.map((title) => ({ title })), (one) => one.title, (one) =>
    h("button", { type: "button", class: "button", onclick: () => act("offer", { title: one.title }) }, one.title));
  reconcile(byId("links"), picture.links, (one) => one.title, (one) => h("li", {}, link(one.url, one.title)));
  const calls = [...picture.calls].reverse();
  reconcile(byId("calls"), calls.length ? calls : [{ number: 0 }], (one) => one.number, drawCall);
}

function drawCall(call) {
  if (!call.number) return h("li", { class: "small quiet" }, "Nobody was woken.");
  const times = call.triggers > 1 ? ` · asked ${call.triggers} times, rang once` : "";
  const at = new Date(call.at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return h("li", { class: `call ${call.state}` },
    h("div", { class: "call-head" }, h("strong", {}, call.service), h("span", { class: "state" }, call.state)),
    h("p", {}, plain(call.summary)),
    h("p", { class: "small" }, `${at} · ${call.severity} · through ${call.provider}${times}`));
}

// ── doing ───────────────────────────────────────────────────────────────────────────────────────────

function go(place) {
  if (page.place !== place) page.thread = null;
  page.place = place;
  byId("messages").dataset.filled = "";
  byId("frame").classList.remove("show-rail");
  if (place === HOME) act("home", {});
  draw();
}

function openThread(ts) {
  page.chose = true;
  page.thread = ts;
  draw();
  byId("reply-text").focus();
}

function send(box, threadTs) {
  const text = box.value.trim();
  if (!text) return;
  if (threadTs && text.startsWith("/")) {
    toast("Slash commands do not work in threads; use the channel's own message box.");
    return;
  }
  box.value = "";
  act("send", { channel: page.place, text, thread_ts: threadTs });
  byId("messages").dataset.filled = "";
}

function wireComposer(form, box, threadOf) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(box, threadOf());
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send(box, threadOf());
  });
}

function showFromHash() {
  const [channel, number] = location.hash.slice(1).split("/");
  if (!channel) return;
  page.place = channel;
  const digits = /^p(\d+)(\d{6})$/.exec(number ?? "");
  if (digits) {
    page.thread = `${digits[1]}.${digits[2]}`;
    page.chose = true;
  }
  refreshSoon();
}

function start() {
  wireComposer(byId("composer"), byId("composer-text"), () => null);
  wireComposer(byId("reply"), byId("reply-text"), () => page.thread);
  byId("home").addEventListener("click", () => go(HOME));
  byId("close-thread").addEventListener("click", () => {
    page.thread = null;
    page.chose = true;
    draw();
    byId("composer-text").focus();
  });
  byId("person").addEventListener("change", (event) => {
    page.me = event.target.value;
    localStorage.setItem("sandbox-person", page.me);
    refreshSoon();
  });
  for (const name of ["rail", "side"]) {
    byId(`show-${name}`).addEventListener("click", () => byId("frame").classList.toggle(`show-${name}`));
  }
  byId("messages").addEventListener("click", () => byId("frame").classList.remove("show-rail", "show-side"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") byId("frame").classList.remove("show-rail", "show-side");
  });
  window.addEventListener("hashchange", showFromHash);
  showFromHash();
  listen();
  refreshSoon();
}

start();

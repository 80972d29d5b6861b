// One message: who, when, what, its files and reactions, and the way into its thread.

import { attachments, blocks } from "./blocks.js";
import { h } from "./dom.js";
import { mrkdwn, plain } from "./mrkdwn.js";

/** Draw a message. `tools.open` and `tools.answers` are there where a thread can be opened. */
export function drawMessage(message, tools) {
  const author = tools.names.users[message.author] ?? { name: "somebody", real_name: "Somebody" };
  const tone = message.only_you ? "only-you" : "";
  return h("article", { class: `message ${tone}`, "aria-label": `Message of ${author.real_name}` },
    avatar(author),
    h("div", { class: "message-body" },
      message.only_you ? h("p", { class: "small private" }, "Only visible to you") : null,
      headline(message, author),
      content(message, tools),
      files(message),
      reactions(message),
      threadLink(message, tools)),
    menu(message, author, tools));
}

function avatar(author) {
  const letters = author.real_name.split(/[\s-]+/).map((word) => word[0]).join("").slice(0, 2).toUpperCase();
  const tint = [...author.id ?? author.name].reduce((sum, sign) => sum + sign.charCodeAt(0), 0) % 6;
  return h("span", { class: `avatar tint-${tint}`, "aria-hidden": "true" }, letters);
}

function headline(message, author) {
  const at = new Date(Number(message.ts) * 1000);
  return h("p", { class: "headline" },
    h("strong", {}, author.real_name),
    author.is_bot ? h("span", { class: "badge" }, "APP") : null,
    h("time", { class: "small", datetime: at.toISOString(), title: at.toLocaleString() },
      at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })),
    message.edited ? h("span", { class: "small" }, "(edited)") : null);
}

function content(message, tools) {
  const parts = blocks(message.blocks, tools);
  if (!parts.length && message.text) parts.push(h("p", {}, mrkdwn(message.text, tools.names)));
  return h("div", { class: "content" }, parts, attachments(message.attachments, tools));
}

function files(message) {
  return message.files.map((file) => {
    const address = `files/${encodeURIComponent(file.id)}`;
    if (!file.mimetype.startsWith("image/")) return h("p", {}, h("a", { href: address, download: file.title }, file.title));
    return h("figure", {}, h("img", { src: address, alt: file.title }), h("figcaption", { class: "small" }, file.title));
  });
}

function reactions(message) {
  const all = Object.entries(message.reactions);
  if (!all.length) return null;
  return h("p", { class: "reactions" }, all.map(([name, count]) => h("span", { class: "reaction" }, `${plain(`:${name}:`)} ${count}`)));
}

function threadLink(message, tools) {
  if (!tools.answers?.count || message.only_you) return null;
  const { count, last } = tools.answers;
  const at = new Date(Number(last) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return h("button", { type: "button", class: "thread-link", "data-focus": "thread", onclick: tools.open },
    h("strong", {}, count === 1 ? "1 reply" : `${count} replies`), ` last at ${at}`);
}

function menu(message, author, tools) {
  if (message.only_you) return null;
  const items = [];
  if (tools.open) items.push(h("button", { type: "button", "data-focus": "reply", onclick: tools.open }, "Reply in thread"));
  if (author.is_bot && author.id !== tools.app.id) {
    items.push(h("button", { type: "button", "data-focus": "diagnose", onclick: tools.diagnose }, "Diagnose this alert"));
  }
  return items.length ? h("div", { class: "menu" }, items) : null;
}

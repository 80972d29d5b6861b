// Block Kit as elements. `tools` is what a block needs of the page: names of people, and what a click does.

import { h, link } from "./dom.js";
import { mrkdwn, plain } from "./mrkdwn.js";

const DRAWN = { header, section, divider, context, actions, image, table, rich_text, markdown, input };

/** Draw a list of blocks. */
export function blocks(list, tools) {
  return list.map((block) => (DRAWN[block.type] ?? unknown)(block, tools));
}

/** Draw attachments: the colour bar, the old fields, and the blocks inside. */
export function attachments(list, tools) {
  return list.map((one) => {
    const box = h("div", { class: "attachment" });
    if (/^#?[0-9a-f]{3,6}$/i.test(one.color ?? "")) box.style.borderColor = "#" + one.color.replace("#", "");
    if (["good", "warning", "danger"].includes(one.color)) box.dataset.color = one.color;
    if (one.pretext) box.append(h("p", {}, mrkdwn(String(one.pretext), tools.names)));
    if (one.title) box.append(h("p", { class: "strong" }, title(one)));
    if (one.text) box.append(h("p", {}, mrkdwn(String(one.text), tools.names)));
    if (Array.isArray(one.fields)) box.append(h("div", { class: "fields" }, one.fields.map((f) => oldField(f, tools))));
    if (Array.isArray(one.blocks)) box.append(...blocks(one.blocks, tools));
    if (one.footer) box.append(h("p", { class: "small" }, String(one.footer)));
    return box;
  });
}

/** Draw a text object. */
export function text(object, tools) {
  const value = String(object?.text ?? "");
  return object?.type === "mrkdwn" ? mrkdwn(value, tools.names) : plain(value);
}

function title(one) {
  return one.title_link ? link(one.title_link, String(one.title)) : String(one.title);
}

function oldField(field, tools) {
  return h("div", { class: "field" }, h("strong", {}, String(field.title ?? "")), h("br"),
    mrkdwn(String(field.value ?? ""), tools.names));
}

function header(block, tools) {
  return h("h3", { class: "block-header" }, text(block.text, tools));
}

function section(block, tools) {
  const main = h("div", { class: "section-text" });
  if (block.text) main.append(h("p", {}, text(block.text, tools)));
  if (Array.isArray(block.fields)) {
    main.append(h("div", { class: "fields" }, block.fields.map((f) => h("div", { class: "field" }, text(f, tools)))));
  }
  const accessory = block.accessory ? element(block.accessory, block, tools) : null;
  return h("div", { class: "section" }, main, accessory);
}

function divider() {
  return h("hr");
}

function context(block, tools) {
  const parts = (block.elements ?? []).map((one) =>
    one.type === "image" ? picture(one) : h("span", {}, text(one, tools)));
  return h("div", { class: "context" }, parts);
}

function actions(block, tools) {
  return h("div", { class: "actions" }, (block.elements ?? []).map((one) => element(one, block, tools)));
}

function image(block) {
  return h("figure", {}, picture(block), h("figcaption", { class: "small" }, block.title?.text ?? ""));
}

function picture(one) {
  const own = new URL(one.image_url ?? "", location.href).origin === location.origin;
  if (own && one.image_url) return h("img", { src: one.image_url, alt: one.alt_text ?? "" });
  return h("span", { class: "small" }, `[picture: ${one.alt_text ?? ""}]`);
}

function table(block, tools) {
  const rows = (block.rows ?? []).map((row, index) =>
    h("tr", {}, row.map((cell) => h(index === 0 ? "th" : "td", {}, cellText(cell, tools)))));
  return h("div", { class: "table", tabindex: "0" }, h("table", {}, rows));
}

function cellText(cell, tools) {
  if (cell?.type === "rich_text") return rich_text(cell, tools);
  return String(cell?.text ?? cell?.value ?? "");
}

function rich_text(block, tools) {
  return h("div", { class: "rich" }, (block.elements ?? []).map((one) => richPart(one, tools)));
}

function richPart(part, tools) {
  const inside = (part.elements ?? []).map((one) => richInline(one, tools));
  if (part.type === "rich_text_preformatted") return h("pre", {}, h("code", {}, inside));
  if (part.type === "rich_text_quote") return h("blockquote", {}, inside);
  if (part.type === "rich_text_list") {
    return h(part.style === "ordered" ? "ol" : "ul", {},
      (part.elements ?? []).map((one) => h("li", {}, richPart(one, tools))));
  }
  return h("p", {}, inside);
}

function richInline(one, tools) {
  if (one.type === "link") return link(one.url, String(one.text ?? one.url));
  if (one.type === "user") return h("span", { class: "mention" }, "@" + (tools.names.users[one.user_id]?.name ?? one.user_id));
  if (one.type === "usergroup") return h("span", { class: "mention" }, "@" + (tools.names.groups[one.usergroup_id] ?? "group"));
  if (one.type === "emoji") return plain(`:${one.name}:`);
  const tag = one.style?.code ? "code" : one.style?.bold ? "strong" : one.style?.italic ? "em" : "span";
  return h(tag, {}, String(one.text ?? ""));
}

function markdown(block) {
  return h("div", {}, String(block.text ?? "").split("\n").map((line) => {
    const heading = /^#{1,6}\s+(.*)/.exec(line);
    return heading ? h("p", { class: "strong" }, heading[1]) : h("p", {}, line.replaceAll("**", ""));
  }));
}

function input(block, tools) {
  const label = String(block.label?.text ?? "");
  const field = tools.field(block.element ?? {}, label);
  const hint = block.hint ? h("span", { class: "small" }, String(block.hint.text)) : null;
  const error = h("span", { class: "error", role: "alert", "data-error": block.block_id ?? "" });
  return h("label", { class: "input" }, h("span", { class: "strong" }, label), field, hint, error);
}

function unknown(block) {
  return h("p", { class: "small" }, `[a block of type ${String(block.type)}, which this page does not draw]`);
}

function element(one, block, tools) {
  if (one.type === "image") return picture(one);
  if (one.type === "button" || one.type === "workflow_button") return button(one, tools);
  if (Array.isArray(one.options)) return choice(one, tools);
  return h("span", { class: "small" }, `[${String(one.type)}]`);
}

function button(one, tools) {
  const label = plain(String(one.text?.text ?? ""));
  const style = ["primary", "danger"].includes(one.style) ? one.style : "";
  return h("button", {
    type: "button",
    class: `button ${style}`,
    "data-focus": one.action_id,
    onclick: () => {
      if (one.url) window.open(new URL(one.url, location.href), "_blank", "noopener");
      tools.click(one, null);
    },
  }, label);
}

function choice(one, tools) {
  const first = one.placeholder?.text ?? "Choose …";
  const options = one.options.map((option) => h("option", { value: option.value }, plain(String(option.text?.text ?? ""))));
  return h("select", {
    class: "button",
    "aria-label": first,
    "data-focus": one.action_id,
    onchange: (event) => {
      const value = event.target.value;
      event.target.value = "";
      if (value) tools.click(one, value);
    },
  }, h("option", { value: "" }, one.type === "overflow" ? "⋯" : first), options);
}

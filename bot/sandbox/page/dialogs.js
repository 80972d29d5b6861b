// Dialogs: the confirmation before a click, and the app's modal with its inputs.

import { blocks, text } from "./blocks.js";
import { h } from "./dom.js";
import { plain } from "./mrkdwn.js";

const NO_NAMES = { names: { users: {}, groups: {}, channels: {} } };

/** Ask as the element's `confirm` says, and return whether the person said yes. */
export function confirmed(confirm) {
  const dialog = document.getElementById("confirm");
  const words = (part, otherwise) => plain(String(part?.text ?? otherwise));
  return new Promise((resolve) => {
    const end = (answer) => {
      dialog.onclose = null;
      dialog.close();
      resolve(answer);
    };
    dialog.replaceChildren(
      h("h2", { id: "confirm-title" }, words(confirm.title, "Are you sure?")),
      h("p", {}, text(confirm.text, NO_NAMES)),
      h("div", { class: "dialog-foot" },
        h("button", { type: "button", class: "button", onclick: () => end(false) }, words(confirm.deny, "No")),
        h("button", {
          type: "button", class: `button ${confirm.style === "danger" ? "danger" : "primary"}`, onclick: () => end(true),
        }, words(confirm.confirm, "Yes"))));
    dialog.onclose = () => resolve(false);
    dialog.showModal();
  });
}

let shown = null;
let tools = null;

/** Show the app's modal, or take it away when there is none; what is typed stays while the modal is the same. */
export function drawModal(view, modalTools) {
  const dialog = document.getElementById("modal");
  tools = modalTools;
  const print = view && `${view.id} ${view.hash}`;
  if (print === shown) return;
  shown = print;
  if (!view) {
    dialog.close();
    return;
  }
  dialog.replaceChildren(form(view));
  dialog.oncancel = (event) => {
    event.preventDefault();
    tools.close();
  };
  if (!dialog.open) dialog.showModal();
}

function form(view) {
  const click = (element, choice) => tools.click(element, choice);
  const made = h("form", { method: "dialog" },
    h("h2", { id: "modal-title" }, plain(String(view.title?.text ?? ""))),
    blocks(view.blocks ?? [], { names: tools.names, field, click }),
    h("div", { class: "dialog-foot" },
      h("button", { type: "button", class: "button", onclick: () => tools.close() }, plain(String(view.close?.text ?? "Cancel"))),
      view.submit ? h("button", { type: "submit", class: "button primary" }, plain(String(view.submit.text))) : null));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = {};
    for (const one of made.querySelectorAll("[data-action]")) {
      const value = one.dataset.value ?? one.value;
      if (value) values[one.dataset.action] = value;
    }
    const answer = await tools.submit(values);
    for (const place of made.querySelectorAll("[data-error]")) {
      place.textContent = answer.errors?.[place.dataset.error] ?? "";
    }
  });
  return made;
}

/** Return the field of an input block. */
export function field(element, label) {
  const common = { "data-action": element.action_id, "aria-label": label };
  if (element.type === "external_select") return combobox(element, common);
  if (Array.isArray(element.options)) {
    const first = element.initial_option?.value ?? "";
    const options = element.options.map((one) =>
      h("option", { value: one.value, selected: one.value === first }, plain(String(one.text?.text ?? ""))));
    return h("select", common, h("option", { value: "" }, element.placeholder?.text ?? "Choose …"), options);
  }
  const tag = element.multiline ? "textarea" : "input";
  const made = h(tag, { ...common, placeholder: element.placeholder?.text, autocomplete: "off" });
  made.value = element.initial_value ?? "";
  return made;
}

/** A text box whose options the app finds. */
function combobox(element, common) {
  const list = h("ul", { class: "options", role: "listbox", id: `options-${element.action_id}`, hidden: true });
  const box = h("input", {
    ...common, role: "combobox", autocomplete: "off", "aria-expanded": "false", "aria-controls": list.id,
    placeholder: element.placeholder?.text ?? "Type to search",
  });
  box.dataset.value = element.initial_option?.value ?? "";
  box.value = element.initial_option?.text?.text ?? "";
  const show = (open) => {
    list.hidden = !open;
    box.setAttribute("aria-expanded", String(open));
  };
  const take = (option) => {
    box.value = String(option.text?.text ?? option.value);
    box.dataset.value = option.value;
    show(false);
    box.focus();
  };
  let asked = 0;
  const look = async () => {
    const mine = (asked += 1);
    box.dataset.value = "";
    const options = await tools.suggest(element.action_id, box.value);
    if (mine !== asked) return;
    list.replaceChildren(...options.map((option) => h("li", { role: "option" },
      h("button", { type: "button", onclick: () => take(option) }, plain(String(option.text?.text ?? option.value))))));
    show(options.length > 0);
  };
  box.addEventListener("input", look);
  for (const event of ["focus", "click"]) {
    box.addEventListener(event, () => box.dataset.value || !list.hidden || look());
  }
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !list.hidden) list.querySelector("button")?.focus();
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      show(false);
    }
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...list.querySelectorAll("button")];
    (all[all.indexOf(document.activeElement) + step] ?? box).focus();
  });
  return h("span", { class: "combobox" }, box, list);
}

// Building elements. Everything that is shown goes in as text, never as markup.

/** Make an element: attributes by name, listeners as `onclick` and the like, children as nodes or text. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Return a link that leaves the page only to web and mail addresses; anything else stays text. */
export function link(address, label) {
  let url;
  try {
    url = new URL(address, location.href);
  } catch {
    return document.createTextNode(label);
  }
  if (!["http:", "https:", "mailto:"].includes(url.protocol)) return document.createTextNode(label);
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, label);
}

/** Bring the children of `parent` in line with `items`, keeping elements whose content is the same. */
export function reconcile(parent, items, keyOf, draw) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const focused = document.activeElement?.dataset?.focus;
  const owner = document.activeElement?.closest?.("[data-key]")?.dataset.key;
  const wanted = items.map((item) => {
    const key = String(keyOf(item));
    const print = JSON.stringify(item);
    const known = old.get(key);
    if (known && known.dataset.print === print) return known;
    const made = draw(item);
    made.dataset.key = key;
    made.dataset.print = print;
    return made;
  });
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  while (parent.children.length > wanted.length) parent.lastElementChild.remove();
  if (focused && owner && !document.activeElement?.dataset?.focus) {
    const place = wanted.find((child) => child.dataset.key === owner);
    place?.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }
}

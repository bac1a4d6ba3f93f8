// Small helpers: everything that comes from the engine becomes text, never markup.

export const $ = (id) => document.getElementById(id);

/** An element with attributes (`on…`: a listener; `null` or `false`: left out) and children. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Sets a text, and touches nothing where it is the same: screen readers and selections stay undisturbed. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/**
 * Makes the children of `parent` follow `items`, one child for each key, so that focus and open details survive an
 * update.
 */
export function follow(parent, items, keyOf, make, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = known.get(key);
    known.delete(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const gone of known.values()) gone.remove();
}

/** A list of terms and values that follows `pairs`; a value is text, or text and a mark of `bad`. */
export function facts(list, pairs) {
  follow(list, pairs, ([name]) => name, ([name]) => el("div", {}, el("dt", {}, name), el("dd")), (node, [, value, mark]) => {
    say(node.lastElementChild, value);
    node.dataset.mark = mark ?? "";
  });
}

/** How far a bar is filled, 0 to 1. */
export function fill(bar, part) {
  bar.style.width = `${(Math.max(0, Math.min(1, part)) * 100).toFixed(1)}%`;
}

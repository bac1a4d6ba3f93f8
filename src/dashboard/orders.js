// Recent orders, each with its history. Asked of the API while signed in, and only when something happened.

import { call, wrong } from "./api.js";
import { $, el, follow, say, show } from "./dom.js";
import { PHASES } from "./sections.js";
import { count, micros, moment, money, plural, span, words } from "./format.js";

const PAGE = 15;
/** Between two looks at the list, so that a busy engine is not asked each second by each page. */
const PACE_MS = 2_000;
/** Orders whose timings are remembered. */
const TIMINGS = 2_000;

const MARKS = {
  pending_payment: "○", confirmed: "◔", paid: "●", fulfilled: "✓", cancelled: "✕",
  partially_refunded: "◐", refunded: "↩",
};

class Row {
  constructor(order, orders) {
    this.orders = orders;
    const id = `order-${order.order_id}`;
    this.opener = el("button", { type: "button", class: "opener", "aria-expanded": "false", "aria-controls": id, onclick: () => this.#toggle() },
      el("span", { class: "chevron", "aria-hidden": "true" }), ` ${order.order_id}`);
    this.cells = Array.from({ length: 5 }, () => el("td"));
    this.cells[0].className = "wide";
    this.cells[2].className = "number wide";
    this.cells[3].className = "number";
    this.cells[4].className = "number wide";
    this.details = el("td", { colspan: 6, id });
    this.second = el("tr", { class: "details", hidden: true }, this.details);
    this.body = el("tbody", {}, el("tr", {}, el("th", { scope: "row" }, this.opener), ...this.cells), this.second);
    this.body.row = this;
  }

  update(order) {
    const changed = JSON.stringify(order);
    if (changed === this.shown) return;
    this.shown = changed;
    this.order = order;
    const [placed, status, customer, total, persisted] = this.cells;
    say(placed, moment(order.created_at));
    say(status, `${MARKS[order.status] ?? "·"} ${words(order.status)}`);
    status.dataset.status = order.status;
    say(customer, String(order.customer_id));
    say(total, money(order.total, order.currency));
    say(persisted, order.persisted ? "yes" : "not yet");
    if (this.isOpen) this.read();
  }

  get isOpen() {
    return !this.second.hidden;
  }

  open() {
    if (this.second.hidden) this.#toggle();
    this.opener.focus();
  }

  #toggle() {
    this.second.hidden = !this.second.hidden;
    this.opener.setAttribute("aria-expanded", String(!this.second.hidden));
    if (this.isOpen) this.read();
    else this.orders.changed();
  }

  async read() {
    const id = this.order.order_id;
    const answer = await call("GET", `v1/orders/${id}/events`);
    const history = answer.status === 200 ? steps(answer.json.data) : el("p", { class: "note" }, `Its history is not to be read now: ${wrong(answer)}.`);
    this.details.replaceChildren(el("div", { class: "order" },
      el("section", {}, el("h3", {}, "History"), history, timings(this.orders.timings.get(id))),
      el("section", {}, el("h3", {}, "Lines"), lines(this.order)),
      el("section", {}, el("h3", {}, "Sums"), sums(this.order))));
  }
}

function steps(events) {
  const list = el("ol", { class: "steps" });
  let before = null;
  for (const event of events) {
    const later = before === null ? "" : `+${span(new Date(event.at) - before)}`;
    before = new Date(event.at);
    list.append(el("li", {}, el("b", {}, words(event.type)), " ", el("time", { datetime: event.at }, moment(event.at)), " ",
      el("span", { class: "note" }, [later, `record ${event.seq}`].filter(Boolean).join(" · "))));
  }
  return list;
}

/** How long each phase of placing it took, where this engine still remembers. */
function timings(phases) {
  if (!phases) return el("p", { class: "note" }, "How long its phases took is not remembered: it came in a batch, or a while ago.");
  const known = PHASES.filter(([name]) => phases[name] !== undefined);
  const total = known.reduce((sum, [name]) => sum + phases[name], 0);
  const bar = el("div", { class: "phases", "aria-hidden": "true" });
  const list = el("dl", { class: "facts" });
  for (const [name, title] of known) {
    const part = el("span", { "data-phase": name });
    part.style.flexGrow = String(Math.max(phases[name], total / 200, 1));
    bar.append(part);
    list.append(el("div", { "data-phase": name }, el("dt", {}, title), el("dd", {}, micros(phases[name]))));
  }
  list.append(el("div", {}, el("dt", {}, "Together"), el("dd", {}, micros(total))));
  return el("div", {}, el("h4", {}, "Placing it"), bar, list);
}

function lines(order) {
  const table = el("table", { class: "small" }, el("caption", { class: "unseen" }, `Lines of order ${order.order_id}`),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Product"), el("th", { scope: "col", class: "number" }, "Pieces"), el("th", { scope: "col", class: "number" }, "Sum"))));
  const body = el("tbody");
  for (const line of order.items) {
    body.append(el("tr", {}, el("th", { scope: "row" }, `${line.name} · ${line.product_id}`),
      el("td", { class: "number" }, count(line.quantity)), el("td", { class: "number" }, money(line.line_total, order.currency))));
  }
  table.append(body);
  return table;
}

function sums(order) {
  const pairs = [
    ["Subtotal", order.subtotal], ["Discount", -order.discount], ["Shipping", order.shipping], ["Tax", order.tax], ["Total", order.total],
  ];
  return el("dl", { class: "facts" },
    ...pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, money(value, order.currency)))),
    el("div", {}, el("dt", {}, "Customer"), el("dd", {}, String(order.customer_id))),
    el("div", {}, el("dt", {}, "In the database"), el("dd", {}, order.persisted ? "yes" : "not yet")),
    el("div", {}, el("dt", {}, "Invoice"), el("dd", {}, order.invoice_number)),
    el("div", {}, el("dt", {}, plural(order.sellers.length, "seller")), el("dd", {}, order.sellers.map((seller) => seller.seller_id).join(", "))));
}

export class Orders {
  timings = new Map();
  #asked = 0;
  #due = null;
  #cursor = null;
  #older = [];
  #found = [];
  #newest = [];
  #waiting = [];
  #signedIn = false;

  constructor() {
    this.table = $("order-table");
    this.note = $("orders-note");
    $("orders-more").addEventListener("click", () => this.#more());
    $("orders-newer").addEventListener("click", () => this.#showWaiting());
    $("order-find").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#find($("order-id").value.trim());
    });
  }

  /** Remembers how long the phases of these orders took, as long as they may be shown. */
  timed(list) {
    for (const { order_id: id, phases } of list) {
      this.timings.set(id, phases);
      const row = this.table.querySelector(`tbody[data-key="${id}"]`)?.row;
      if (row?.isOpen) row.read();
    }
    for (const id of this.timings.keys()) {
      if (this.timings.size <= TIMINGS) break;
      this.timings.delete(id);
    }
  }

  begin() {
    this.#signedIn = true;
    this.#older = [];
    this.#found = [];
    this.changed();
  }

  end() {
    this.#signedIn = false;
    clearTimeout(this.#due);
    this.#due = null;
    this.#older = [];
    this.#found = [];
    this.#set([]);
  }

  /** Something may have changed: looks soon, but not too often. */
  changed() {
    if (!this.#signedIn || this.#due !== null || document.hidden) return;
    this.#due = setTimeout(() => {
      this.#due = null;
      this.#look();
    }, Math.max(0, this.#asked + PACE_MS - Date.now()));
  }

  async #look() {
    this.#asked = Date.now();
    const answer = await call("GET", `v1/orders?limit=${PAGE}`);
    if (!this.#signedIn) return;
    if (answer.status !== 200) {
      if (answer.status !== 0) say(this.note, `The list is not to be read now: ${wrong(answer)}.`);
      return;
    }
    const { data, next_cursor: next, complete } = answer.json;
    if (this.#older.length === 0) this.#cursor = next;
    say(this.note, data.length === 0 ? "No order yet." : complete === false ? "The database is behind: some orders may be missing here. Find them by their number." : "");
    this.#take(data);
  }

  async #more() {
    const answer = await call("GET", `v1/orders?limit=${PAGE}&cursor=${encodeURIComponent(this.#cursor)}`);
    if (answer.status !== 200) return say(this.note, `Older orders are not to be read now: ${wrong(answer)}.`);
    this.#older.push(...answer.json.data);
    this.#cursor = answer.json.next_cursor;
    this.#set(this.#newest);
  }

  async #find(id) {
    const answer = await call("GET", `v1/orders/${encodeURIComponent(id)}`);
    if (answer.status !== 200) return say(this.note, answer.status === 404 ? `There is no order ${id}.` : `Not to be read now: ${wrong(answer)}.`);
    this.#found = [answer.json];
    this.#set(this.#newest);
    this.table.querySelector(`tbody[data-key="${answer.json.order_id}"]`)?.row.open();
  }

  /** While an order is open, the list stands still around it: the newer ones wait for a press of a button. */
  #take(newest) {
    const bodies = [...this.table.tBodies];
    const reading = bodies.some((body) => body.row.isOpen);
    const news = newest.filter((order) => !bodies.some((body) => body.dataset.key === String(order.order_id)));
    show($("orders-newer"), reading && news.length > 0);
    if (!reading || news.length === 0) return this.#set(newest);
    say($("orders-newer"), `Show ${news.length < PAGE ? plural(news.length, "newer order") : "the newest orders"}`);
    const byId = new Map(newest.map((order) => [order.order_id, order]));
    bodies.forEach((body) => body.row.update(byId.get(body.row.order.order_id) ?? body.row.order));
    this.#waiting = newest;
  }

  #showWaiting() {
    show($("orders-newer"), false);
    const open = [...this.table.tBodies].filter((body) => body.row.isOpen).map((body) => body.row.order);
    this.#found = [...this.#found, ...open];
    this.#set(this.#waiting);
  }

  #set(newest) {
    this.#newest = newest;
    const byId = new Map([...this.#found, ...this.#older, ...newest].map((order) => [order.order_id, order]));
    this.#follow([...byId.values()].sort((a, b) => b.order_id - a.order_id));
    show($("orders-more"), this.#cursor !== null && byId.size > 0);
  }

  /** As `follow`, for the bodies of a table that begins with a caption and a head. */
  #follow(orders) {
    const known = new Map([...this.table.tBodies].map((body) => [body.dataset.key, body]));
    let place = this.table.tBodies[0] ?? null;
    for (const order of orders) {
      const key = String(order.order_id);
      let body = known.get(key);
      known.delete(key);
      if (!body) {
        body = new Row(order, this).body;
        body.dataset.key = key;
      }
      body.row.update(order);
      if (body === place) place = place.nextElementSibling;
      else this.table.insertBefore(body, place);
    }
    for (const gone of known.values()) gone.remove();
  }
}

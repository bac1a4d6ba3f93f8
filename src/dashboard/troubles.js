// What waits for a decision: alerts, which the feed brings; side effects that gave up and parked events, which the API
// is asked for while signed in.

import { call, wrong } from "./api.js";
import { $, el, follow, say } from "./dom.js";
import { count, moment, plural, span, words } from "./format.js";

const PACE_MS = 5_000;
const SHOWN = 50;

/** A list of the API that a version may not have: then it says so, and is not asked for. */
class List {
  items = [];

  constructor(path, note, list, texts) {
    Object.assign(this, { path, note: $(note), list: $(list), texts });
  }

  /** Whether this engine has it, by its own document: asking in vain would leave an error in the console. */
  settle(paths) {
    this.items = [];
    this.exists = `/${this.path.split("?")[0]}` in paths;
    if (!this.exists) say(this.note, this.texts.missing);
  }

  async read() {
    if (!this.exists) return;
    const answer = await call("GET", this.path);
    if (answer.status === 200) {
      this.items = answer.json.data;
      say(this.note, this.texts.some(this.items, Boolean(answer.json.next_cursor)));
      this.draw();
    } else if (answer.status !== 0) {
      say(this.note, `Not to be read now: ${wrong(answer)}.`);
    }
  }
}

/** What a value of an alert is counted in. */
const UNITS = { ratio: (value) => `${(value * 100).toFixed(1)} %`, seconds: (value) => span(value * 1_000), count };

const isFiring = (alert) => alert.state === "firing";

/** The alerts, which come with each second where the engine evaluates some. */
export function alerts(all) {
  const firing = all?.filter(isFiring).length ?? 0;
  say($("alerts-note"), !all ? "This engine evaluates no alerts itself." : firing === 0 ? `All ${count(all.length)} are quiet.` : `${count(firing)} of ${count(all.length)} firing.`);
  const sorted = [...(all ?? [])].sort((a, b) => isFiring(b) - isFiring(a));
  follow($("alerts"), sorted, (alert) => alert.name,
    (alert) => el("li", {}, el("span", { class: "mark" }), " ", el("b", {}, words(alert.name)), el("p", { class: "note" })),
    (node, alert) => {
      node.dataset.level = isFiring(alert) ? "bad" : "good";
      say(node.firstElementChild, isFiring(alert) ? "Firing" : "Quiet");
      const shown = UNITS[alert.unit] ?? String;
      const value = alert.value === null ? "too little happened to say" : `${shown(alert.value)}, limit ${shown(alert.threshold)}`;
      const since = isFiring(alert) ? ` · since ${moment(alert.since)} UTC` : "";
      say(node.lastElementChild, [isFiring(alert) ? words(alert.summary) : null, value + since].filter(Boolean).join(" · "));
    });
}

/** A list whose rows can be tried again. */
class Retried extends List {
  /** `describe`: an item's id, title and note. `retry`: the path that tries it again. */
  constructor(path, note, list, texts, describe, retry, said) {
    super(path, note, list, texts);
    Object.assign(this, { describe, retry, said });
  }

  draw() {
    follow(this.list, this.items, (item) => this.describe(item).id,
      (item) => {
        const { id, title } = this.describe(item);
        const button = el("button", { type: "button", class: "retry", "aria-label": `Try ${title} again`, onclick: () => this.#again(button, id, title) }, "Try again");
        return el("li", { "data-level": "watch" }, el("b", {}, title), button, el("p", { class: "note" }));
      },
      (node, item) => say(node.lastElementChild, this.describe(item).note));
  }

  async #again(button, id, title) {
    button.disabled = true;
    say(this.said, `Trying ${title} again…`);
    const answer = await call("POST", this.retry(id));
    say(this.said, answer.status >= 200 && answer.status < 300 ? `${title}: done.` : `${title}: ${wrong(answer)}.`);
    button.disabled = false;
    await this.read();
  }
}

function effects(said) {
  return new Retried("admin/effects?state=failed", "effects-note", "effects", {
    missing: "This engine shows no side effects.",
    some: (items, more) => (items.length === 0 ? "None: mails, webhooks, couriers and downloads went through." : `${more ? "More than " : ""}${plural(items.length, "effect")}.`),
  }, (effect) => ({
    id: effect.id,
    title: `${words(effect.kind ?? effect.type ?? "effect")} ${effect.order_id ? `of order ${effect.order_id}` : effect.id}`,
    note: [effect.receiver, effect.attempts === undefined ? null : plural(effect.attempts, "attempt"), effect.error ?? effect.last_error ?? effect.reason].filter(Boolean).join(" · "),
  }), (id) => `admin/effects/${encodeURIComponent(id)}/retry`, said);
}

function parked(said) {
  return new Retried(`admin/parked?limit=${SHOWN}`, "parked-note", "parked", {
    missing: "This engine parks nothing.",
    some: (items, more) => (items.length === 0 ? "Nothing: the database took every event." : `${more ? "More than " : ""}${plural(items.length, "event")}; stock is counted, the rows are missing.`),
  }, (event) => ({
    id: event.seq,
    title: `${words(event.type)} ${event.order_id ? `of order ${event.order_id}` : `(record ${event.seq})`}`,
    note: `${event.reason} · since ${moment(event.parked_at)} UTC`,
  }), (seq) => `admin/parked/${seq}/retry`, said);
}

export class Troubles {
  #timer = null;

  constructor() {
    const said = $("attention-said");
    this.all = [effects(said), parked(said)];
  }

  /** Begins to ask, with the token of now. */
  async begin() {
    this.end();
    const described = await call("GET", "openapi.json");
    this.end();
    this.all.forEach((list) => list.settle(described.json?.paths ?? {}));
    const round = async () => {
      if (!document.hidden) await Promise.all(this.all.map((list) => list.read()));
    };
    round();
    this.#timer = setInterval(round, PACE_MS);
  }

  end() {
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

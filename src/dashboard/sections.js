// The sections that follow from the feed alone: refusals, journal, database, memory, warm-up.

import { call, token, wrong } from "./api.js";
import { $, el, facts, fill, follow, say, show } from "./dom.js";
import { bytes, count, micros, moment, percent, plural, rate, span, words } from "./format.js";

/** A table row with a bar: name, bar, two numbers. */
function barRow(name) {
  return el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "bar-cell" }, el("span", { class: "bar-fill" })),
    el("td", { class: "number" }), el("td", { class: "number" }));
}

function setBar(row, part, first, second) {
  fill(row.querySelector(".bar-fill"), part);
  say(row.children[2], first);
  say(row.children[3], second);
}

export function refusals(total, lastMinute) {
  const codes = Object.entries(total).sort(([, a], [, b]) => b - a);
  show($("refusals"), codes.length > 0);
  show($("refusals-none"), codes.length === 0);
  const most = codes[0]?.[1] ?? 1;
  follow($("refusals").tBodies[0], codes, ([code]) => code, ([code]) => barRow(words(code)),
    (row, [code, number]) => setBar(row, number / most, count(lastMinute[code] ?? 0), count(number)));
}

/** The phases of a checkout, in their order: their names in the API and on the page. */
export const PHASES = [
  ["parse", "Read the request"], ["take", "Look up and take stock"], ["price", "Price"], ["journal", "Journal and sync"], ["answer", "Answer"],
];

export function phases(activity) {
  const measured = PHASES.map(([name, title]) => ({ title, ...activity?.phases?.find((one) => one.phase === name) })).filter((one) => one.count > 0);
  show($("phases"), measured.length > 0);
  show($("phases-none"), measured.length === 0);
  const most = Math.max(1, ...measured.map((one) => one.p99_us));
  follow($("phases").tBodies[0], measured, (one) => one.phase, (one) => barRow(one.title),
    (row, one) => setBar(row, one.p99_us / most, micros(one.p50_us), micros(one.p99_us)));
}

export function journal({ journal: it }, point) {
  facts($("facts-journal"), [
    ["Last record", count(it.last_seq)],
    ["Groups synced", `${count(it.groups)}${point ? `, ${rate((point.groups * 1_000) / point.ms)}/s` : ""}`],
    ["Records in a group", it.groups === 0 ? "–" : rate(it.events / it.groups)],
    ["Mean write and sync", it.groups === 0 ? "–" : micros(Math.round(it.sync_total_us / it.groups))],
    ["Last write and sync", it.groups === 0 ? "–" : micros(it.last_sync_us)],
    ["Written since the start", bytes(it.written_bytes)],
    ["On the disk", it.bytes_max ? `${bytes(it.bytes)} of ${bytes(it.bytes_max)}` : bytes(it.bytes)],
    ["Sync", it.sync === "always" ? "before each answer" : it.sync, it.sync === "always" ? "" : "watch"],
    ["State", it.poisoned ? "closed after a disk error" : "open", it.poisoned ? "bad" : ""],
  ]);
}

const WRITER_STATES = {
  idle: ["idle", ""], writing: ["writing", ""], retrying: ["retrying", "watch"], stopped: ["stopped", "bad"],
};

export function database({ writer, pool }) {
  const [state, mark] = WRITER_STATES[writer.state] ?? [writer.state, ""];
  const pairs = [
    ["State", state, mark],
    ["Store", writer.store],
    ["Has everything up to", count(writer.checkpoint_seq)],
    ["Backlog", plural(writer.backlog, "record")],
    ["Oldest of it", writer.backlog === 0 ? "–" : span(writer.backlog_age_ms)],
    ["Batches", count(writer.batches)],
    ["Orders in a batch", writer.batches === 0 ? "–" : rate(writer.orders / writer.batches)],
    ["Retries", count(writer.retries)],
    ["Parked", count(writer.parked), writer.parked > 0 ? "watch" : ""],
  ];
  if (writer.last_error) pairs.push(["Last error", writer.last_error, "watch"]);
  facts($("facts-writer"), pairs);
  fill($("meter-pool").firstElementChild, pool.max === 0 ? 0 : pool.in_use / pool.max);
  facts($("facts-pool"), [
    ["In use", `${count(pool.in_use)} of ${count(pool.max)}`],
    ["Waiting for one", count(pool.waiting), pool.waiting > 0 ? "watch" : ""],
  ]);
}

export function memory(status) {
  const { shards, hot_products: hot, recent_takes: takes, cache, idempotency, checkouts } = status;
  follow($("shards").tBodies[0], shards.map((shard, index) => ({ ...shard, index })), (shard) => shard.index,
    (shard) => el("tr", {}, el("th", { scope: "row" }, String(shard.index)), ...[1, 2, 3].map(() => el("td", { class: "number" }))),
    (row, shard) => [shard.products, shard.queued, shard.held].forEach((value, column) => say(row.children[column + 1], count(value))));
  show($("hot"), hot.length > 0);
  show($("hot-none"), hot.length === 0);
  follow($("hot").tBodies[0], hot, (product) => product.product_id, (product) => barRow(product.name),
    (row, product) => {
      say(row.firstElementChild, `${product.name} · ${product.product_id}`);
      const share = takes === 0 ? 0 : product.takes / takes;
      setBar(row, share, `${Math.round(share * 100)} %`, product.available === null ? "not counted" : count(product.available));
    });
  fill($("meter-cache").firstElementChild, (cache.hit_rate_bps ?? 0) / 10_000);
  facts($("facts-cache"), [
    ["Answered from memory", cache.hit_rate_bps === null ? "–" : percent(cache.hit_rate_bps)],
    ["Hits", count(cache.hits)],
    ["Fetched", count(cache.misses)],
    ["Unknown ids", count(cache.unknown)],
    ["Products read (UTC)", moment(cache.products_read_at)],
    ["Idempotency keys", count(idempotency.keys)],
    ["Open orders", count(checkouts.open_orders)],
  ]);
}

/** The warm-up's progress, and the button that begins one. */
export class Warmup {
  constructor() {
    this.button = $("warmup-start");
    this.button.addEventListener("click", () => this.#start());
  }

  tell({ warmup }) {
    show(this.button, token() !== null);
    if (!warmup) return;
    const { state, loaded, total, elapsed_ms: elapsed, error } = warmup;
    const done = { running: "loading", done: "loaded", failed: `failed: ${error ?? "no reason given"}` }[state];
    if (state === "done" && total === 0 && loaded === 0) return say($("warmup-text"), "There was nothing to load at the start.");
    const of = total > 0 ? `${count(loaded)} of ${plural(total, "row")}` : plural(loaded, "row");
    say($("warmup-text"), `${of} ${done}, ${span(elapsed)}.`);
    const bar = $("warmup-bar");
    bar.max = Math.max(total, 1);
    bar.value = state === "done" ? bar.max : Math.min(loaded, bar.max);
    this.button.disabled = state === "running";
  }

  async #start() {
    this.button.disabled = true;
    const answer = await call("POST", "admin/warmup", {});
    const note = $("warmup-note");
    show(note, true);
    say(note, answer.status === 202 ? "It has begun: stock of products in memory is not touched." : `It did not begin: ${wrong(answer)}.`);
    if (answer.status !== 202) this.button.disabled = false;
  }
}

// What an operator wants to know first: is it well, and if not, what is it and where to look.

import { $, el, follow, say, show } from "./dom.js";
import { count, micros, percent, plural, rate, span, words } from "./format.js";

/** Part of what is allowed that is nearly all of it. */
const NEARLY = 0.8;

/** Alerts that mean that shoppers are turned away, or soon will be; the others can wait until the morning. */
const URGENT = ["checkout_success_low", "error_rate_high", "response_slow", "journal_budget_low", "disk_low"];

/** Alerts that are said in words of their own. */
const SAID = ["events_parked"];

/** Everything that is wrong, worst first: level, text, and the section that shows more. */
function troubles({ second, minute }) {
  const { status, ready, notes } = second;
  const { journal, writer, pool, checkouts, warmup } = status;
  const found = [];
  const bad = (text, where) => found.push({ level: "bad", text, where });
  const watch = (text, where) => found.push({ level: "watch", text, where });
  const alerts = (status.alerts ?? []).filter((one) => one.state === "firing" && !SAID.includes(one.name));
  const summary = (alert) => `${words(alert.summary)}.`;
  if (journal.poisoned) bad("The journal is closed after a disk error: no order is taken any more. Look at the disk and the log, then restart.", "keeping");
  if (!ready && !journal.poisoned) bad(`Not ready: ${notes[0] ?? "no reason given"}.`, "keeping");
  if (writer.state === "stopped") bad("Writing to the database has stopped and does not go on by itself. Orders are safe in the journal.", "keeping");
  if (minute.failed > 0) bad(`${plural(minute.failed, "checkout")} failed in the last minute for reasons of the engine’s.`, "traffic");
  for (const alert of alerts.filter((one) => URGENT.includes(one.name))) bad(summary(alert), "attention");
  if (writer.state === "retrying") watch("The database does not take orders at the moment. They are safe in the journal and follow by themselves.", "keeping");
  if (writer.parked > 0) watch(`${plural(writer.parked, "event")} refused by the database ${writer.parked === 1 ? "waits" : "wait"} for a decision.`, "attention");
  for (const alert of alerts.filter((one) => !URGENT.includes(one.name))) watch(summary(alert), "attention");
  if (minute.shed > 0) watch(`${plural(minute.shed, "request")} turned away at the door in the last minute: more came than fits.`, "traffic");
  if (checkouts.in_flight > checkouts.in_flight_max * NEARLY) watch("Nearly as many checkouts are under way as are allowed.", "traffic");
  if (pool.waiting > 0) watch("Work waits for a connection to the database.", "keeping");
  if (warmup?.state === "failed") watch(`The last warm-up failed: ${warmup.error ?? "no reason given"}.`, "memory");
  if (journal.sync !== "always") watch(`Orders are answered before they are on the disk (journal.sync = ${journal.sync}).`, "keeping");
  return found;
}

const TITLES = { good: "All is well", watch: "Worth a look", bad: "Needs you now", unknown: "No answer" };

function summary({ status }, minute, point) {
  const orders = minute.orders === 0 ? "No order in the last minute" : `${plural(minute.orders, "order")} in the last minute`;
  const times = point?.p99 ? `, in the slowest second 99 of 100 answered within ${micros(point.p99)}` : "";
  const database = status.writer.backlog === 0 ? "the database has everything" : `${plural(status.writer.backlog, "record")} on the way to the database`;
  return `${orders}${times}; ${database}.`;
}

export class Verdict {
  /** The engine has told about a second. */
  tell(facts, point) {
    const found = troubles(facts);
    const level = found.some((trouble) => trouble.level === "bad") ? "bad" : found.length > 0 ? "watch" : "good";
    this.#set(level, TITLES[level], summary(facts.second, facts.minute, point));
    const list = $("verdict-troubles");
    show(list, found.length > 0);
    follow(list, found, (trouble) => trouble.where + trouble.text.replace(/[\d.,]+/g, "#"),
      (trouble) => el("li", { "data-level": trouble.level }, el("span", { class: "mark" }, trouble.level === "bad" ? "Act" : "Look"), " ", el("a", { href: `#${trouble.where}` })),
      (node, trouble) => say(node.lastElementChild, trouble.text));
    document.title = level === "good" ? "Floodgate" : `${level === "bad" ? "‼" : "!"} Floodgate: ${TITLES[level].toLowerCase()}`;
  }

  /** Nothing can be said: the engine is silent, or lets nobody look. */
  silence(title, text) {
    this.#set("unknown", title, text);
    show($("verdict-troubles"), false);
    document.title = `? Floodgate: ${title.toLowerCase()}`;
  }

  #set(level, title, text) {
    $("verdict").dataset.level = level;
    say($("verdict-title"), title);
    say($("verdict-text"), text);
  }
}

/** The tiles: one number each, and what it means. */
export function tiles({ status }, point, minute) {
  const { checkouts, writer, cache } = status;
  say($("tile-orders"), rate(point ? (point.orders * 1_000) / point.ms : 0));
  say($("tile-orders-note"), `${count(minute.orders)} in the last minute`);
  say($("tile-p99"), micros(minute.p99));
  say($("tile-p99-note"), minute.p99 === null ? "no checkout lately" : "in the slowest second");
  say($("tile-flight"), count(checkouts.in_flight));
  say($("tile-flight-note"), `of at most ${count(checkouts.in_flight_max)}`);
  say($("tile-shed"), count(minute.shed));
  say($("tile-shed-note"), `last minute; ${count(checkouts.shed)} in all`);
  say($("tile-backlog"), count(writer.backlog));
  say($("tile-backlog-note"), writer.backlog === 0 ? "it has everything" : `oldest ${span(writer.backlog_age_ms)}`);
  say($("tile-cache"), cache.hit_rate_bps === null ? "–" : percent(cache.hit_rate_bps));
  say($("tile-cache-note"), cache.hit_rate_bps === null ? "no look-up yet" : `${count(cache.misses)} fetched`);
}


// Puts the parts together: the feed brings a second, each part shows its share of it.

import { call, forgetToken, keepToken, token, wrong } from "./api.js";
import { Charts } from "./charts.js";
import { $, el, say, show } from "./dom.js";
import { Feed } from "./feed.js";
import { clock, span } from "./format.js";
import { Orders } from "./orders.js";
import { Warmup, database, journal, memory, phases, refusals } from "./sections.js";
import { Troubles, alerts } from "./troubles.js";
import { Verdict, tiles } from "./verdict.js";

const MINUTE_MS = 60_000;
const LOG_LINES = 40;

const charts = new Charts();
const orders = new Orders();
const troubles = new Troubles();
const warmup = new Warmup();
const verdict = new Verdict();
const feed = new Feed(hear, line);

/** What the page knows: the last second, when it came, whether it is drawn. */
const known = { second: null, heardAt: null, paused: false, view: null, epoch: null, line: "connecting" };

function log(text) {
  const lines = $("log-lines");
  const now = new Date();
  lines.prepend(el("li", {}, el("time", { datetime: now.toISOString() }, `${clock(now)} UTC`), ` ${text}`));
  while (lines.children.length > LOG_LINES) lines.lastElementChild.remove();
}

function hear({ name, data }) {
  if (name === "hello") return greet(data);
  known.second = data;
  known.heardAt = Date.now();
  restarted(data.status);
  orders.timed(data.timings);
  if (data.point) charts.add([data.point]);
  if (data.point?.orders > 0 || known.lastSeq !== data.status.journal.last_seq || known.lastCheckpoint !== data.status.writer.checkpoint_seq) orders.changed();
  known.lastSeq = data.status.journal.last_seq;
  known.lastCheckpoint = data.status.writer.checkpoint_seq;
  if (!known.paused && !document.hidden) draw();
}

function greet({ view, history, timings }) {
  known.view = view;
  charts.add(history);
  orders.timed(timings);
  const unlocked = view === "operator";
  for (const node of document.querySelectorAll("[data-locked]")) show(node, !unlocked);
  for (const node of document.querySelectorAll("[data-unlocked]")) show(node, unlocked);
  say($("sign"), unlocked ? "Sign out" : "Sign in");
  say($("link-text"), unlocked ? "Live" : "Live, read only");
  if (unlocked) {
    troubles.begin();
    orders.begin();
  } else {
    troubles.end();
    orders.end();
  }
}

/** A run of the engine has an epoch of its own. */
function restarted({ epoch, uptime_ms: uptime }) {
  if (known.epoch !== null && known.epoch !== epoch) {
    log(`The engine was started again ${span(uptime)} ago (run ${epoch}). It goes on from its journal.`);
  }
  known.epoch = epoch;
}

/** Sums over the points of the last minute. */
function lastMinute() {
  const until = charts.points.list.at(-1)?.t ?? 0;
  const points = charts.points.list.filter((point) => !point.gap && point.t > until - MINUTE_MS);
  const sum = (name) => points.reduce((all, point) => all + point[name], 0);
  const slowest = points.reduce((most, point) => Math.max(most, point.p99 ?? 0), 0);
  return { orders: sum("orders"), failed: sum("failed"), shed: sum("shed"), p99: slowest === 0 ? null : slowest };
}

function draw() {
  const { second } = known;
  if (!second) return;
  const { status } = second;
  const minute = lastMinute();
  const point = charts.points.list.at(-1);
  verdict.tell({ second, minute }, { p99: minute.p99 });
  tiles(second, point?.gap ? null : point, minute);
  charts.draw();
  refusals(second.refusals, status.activity?.checkouts ?? {});
  phases(status.activity);
  journal(status, point?.gap ? null : point);
  database(status);
  memory(status);
  warmup.tell(status);
  alerts(status.alerts);
  say($("about"), `Floodgate ${status.version} · node ${status.node} · run ${status.epoch} · up ${span(status.uptime_ms)}`);
}

const LINES = {
  connecting: "Connecting…", live: "Connected", lost: "No answer, trying again", refused: "Not signed in", full: "Too many dashboards, trying again",
};

/** The state of the line to the engine. */
function line(state, status) {
  if (state !== known.line) {
    if (state === "live") log(known.heardAt === null ? "Connected." : "The engine answers again.");
    if (state === "lost" && known.line === "live") log("The line to the engine broke. What was answered with 201 is in its journal.");
  }
  known.line = state;
  $("link").dataset.state = state;
  document.body.dataset.line = state;
  say($("link-text"), LINES[state]);
  if (state === "lost") verdict.silence("The engine does not answer", known.heardAt === null ? "It is being tried again and again." : `Last heard at ${clock(known.heardAt)} UTC. It is being tried again; the figures below are from then.`);
  if (state === "full") verdict.silence("Too many dashboards", "As many pages look at this engine as it takes. Close one, or wait.");
  if (state === "refused") refused(status);
}

function refused(status) {
  const had = token() !== null;
  verdict.silence("Sign in to look", "From elsewhere than the machine itself, the figures are shown to whoever has the admin token.");
  forgetToken();
  askForToken(had ? (status === 403 ? "This key may not see the dashboard: it takes the admin token." : "That is not the admin token of this engine.") : "");
}

function askForToken(problem) {
  const dialog = $("ask");
  say($("ask-wrong"), problem);
  show($("ask-wrong"), problem !== "");
  $("token").value = "";
  if (!dialog.open) dialog.showModal();
}

/** The token is tried before it is kept, so that a wrong one is said beside its field. */
async function signIn(event) {
  event.preventDefault();
  keepToken($("token").value.trim());
  const answer = await call("GET", "admin/parked?limit=1");
  if (answer.status === 401 || answer.status === 403) {
    forgetToken();
    return askForToken("That is not the admin token of this engine.");
  }
  if (answer.status === 0) {
    forgetToken();
    return askForToken(`It could not be tried: ${wrong(answer)}.`);
  }
  $("ask").close();
  feed.restart();
}

$("ask-form").addEventListener("submit", signIn);
$("ask-cancel").addEventListener("click", () => $("ask").close());
for (const button of document.querySelectorAll(".sign-in")) button.addEventListener("click", () => askForToken(""));
$("sign").addEventListener("click", () => {
  if (token() === null) return askForToken("");
  forgetToken();
  feed.restart();
});

$("pause").addEventListener("click", (event) => {
  known.paused = !known.paused;
  event.currentTarget.setAttribute("aria-pressed", String(known.paused));
  say(event.currentTarget, known.paused ? "Go on" : "Pause");
  if (!known.paused) draw();
});

const sayTheme = () => say($("theme"), `Theme: ${window.floodgateTheme.current()}`);
$("theme").addEventListener("click", () => {
  window.floodgateTheme.next();
  sayTheme();
  charts.build();
});
sayTheme();

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  orders.changed();
  if (!known.paused) draw();
});
feed.restart();

// The charts: uPlot, a legend that tells lines apart by their strokes too, arrow keys, and a table for each.

import { $, el, follow, say } from "./dom.js";
import { clock, count, micros, rate, span, bytes } from "./format.js";

/** A count of a point as a rate. */
const perSecond = (name) => (point) => (point[name] * 1_000) / point.ms;

/** Each line: its name, where its value comes from, how it is shown, its colour, its dashes, its scale. */
const CHARTS = [
  {
    id: "orders", title: "Orders and refusals, a second", place: "charts-traffic", axes: [["y", rate]],
    lines: [
      { name: "Placed", value: perSecond("orders"), show: rate, colour: "--line-1", fill: true },
      { name: "Refused", value: perSecond("refused"), show: rate, colour: "--line-2", dash: [6, 4] },
      { name: "Failed", value: perSecond("failed"), show: rate, colour: "--line-3", dash: [2, 3] },
      { name: "Shed", value: perSecond("shed"), show: rate, colour: "--line-4", dash: [10, 4, 2, 4] },
    ],
  },
  {
    id: "times", title: "Time to answer a checkout", place: "charts-traffic", axes: [["y", micros]],
    lines: [
      { name: "p50", value: (p) => p.p50, show: micros, colour: "--line-1" },
      { name: "p95", value: (p) => p.p95, show: micros, colour: "--line-2", dash: [6, 4] },
      { name: "p99", value: (p) => p.p99, show: micros, colour: "--line-3", dash: [2, 3] },
    ],
  },
  {
    id: "journal", title: "Journal", place: "charts-keeping", axes: [["y", micros], ["bytes", bytes]],
    lines: [
      { name: "Write and sync", value: (p) => p.sync_us, show: micros, colour: "--line-1" },
      { name: "Written", value: perSecond("bytes"), show: (v) => `${bytes(v)}/s`, colour: "--line-2", dash: [6, 4], scale: "bytes" },
    ],
  },
  {
    id: "backlog", title: "Waiting for the database", place: "charts-keeping", axes: [["y", count], ["age", span]],
    lines: [
      { name: "Records", value: (p) => p.backlog, show: count, colour: "--line-1", fill: true },
      { name: "Age of the oldest", value: (p) => p.backlog_age_ms, show: span, colour: "--line-2", dash: [6, 4], scale: "age" },
    ],
  },
];

const HEIGHT = 190;
const TABLE_ROWS = 20;

/** Scales begin at 0 and do not shrink to nothing, so that a quiet line lies still at the bottom. */
const atLeast = (least) => (_, low, high) => [0, Math.max(least, (high ?? 0) * 1.12)];
const LEAST = { y: 5, bytes: 1_024, age: 1_000 };
/** Steps of an axis of bytes are powers of two. */
const STEPS = { bytes: Array.from({ length: 40 }, (_, power) => 2 ** power) };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Values without a neighbour are no line: they are drawn as dots. */
function alone(plot, series) {
  const values = plot.data[series];
  const missing = (at) => values[at] === null || values[at] === undefined;
  return values.flatMap((_, at) => (!missing(at) && missing(at - 1) && missing(at + 1) ? [at] : []));
}

/** The stroke of a line as a picture, as the legend shows it. */
function stroke(line) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "stroke");
  svg.setAttribute("viewBox", "0 0 28 8");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M0 4h28");
  path.setAttribute("stroke", `var(${line.colour})`);
  if (line.dash) path.setAttribute("stroke-dasharray", line.dash.join(" "));
  svg.append(path);
  return svg;
}

class Chart {
  constructor(spec, points) {
    this.spec = spec;
    this.points = points;
    this.values = spec.lines.map(() => el("b", {}, "–"));
    this.time = el("span", { class: "time" });
    const legend = el("ul", { class: "legend" });
    spec.lines.forEach((line, index) => legend.append(el("li", {}, stroke(line), ` ${line.name} `, this.values[index])));
    this.area = el("div", {
      class: "area", tabindex: 0, role: "group",
      "aria-label": `${spec.title}: chart. Arrow keys read single seconds; a table follows.`,
      onkeydown: (event) => this.#key(event),
      onblur: () => this.#leave(),
    });
    this.read = el("p", { class: "unseen", role: "status" });
    this.table = el("table", { class: "small" }, el("caption", { class: "unseen" }, spec.title), this.#head(), el("tbody"));
    this.details = el("details", { ontoggle: () => this.#fillTable() },
      el("summary", {}, "As a table"), el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${spec.title}, last seconds` }, this.table));
    const figure = el("figure", { class: "card chart", id: `chart-${spec.id}` },
      el("figcaption", {}, el("h3", {}, spec.title), this.time), legend, this.area, this.read, this.details);
    $(spec.place).append(figure);
    new ResizeObserver(() => this.#resize()).observe(this.area);
  }

  #head() {
    const names = ["Time (UTC)", ...this.spec.lines.map((line) => line.name)];
    return el("thead", {}, el("tr", {}, ...names.map((name, index) => el("th", { scope: "col", class: index > 0 && "number" }, name))));
  }

  /** Draws anew from nothing: at the start, and when the colours change. */
  build() {
    this.plot?.destroy();
    const grid = { stroke: colour("--grid"), width: 1 };
    const axis = ([scale, shown], index) => ({
      scale, side: index === 0 ? 3 : 1, size: 64, incrs: STEPS[scale], stroke: colour("--soft"), font: "12px system-ui, sans-serif",
      grid: index === 0 ? grid : { show: false }, ticks: { show: false }, gap: 6,
      values: (_, splits) => splits.map((value) => (value === null ? "" : shown(value))),
      space: 34,
    });
    const scales = { x: { time: true } };
    for (const [scale] of this.spec.axes) scales[scale] = { range: atLeast(LEAST[scale]) };
    this.plot = new uPlot({
      width: Math.max(200, this.area.clientWidth), height: HEIGHT, legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC"),
      cursor: { sync: { key: "seconds" }, y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales,
      series: [{}, ...this.spec.lines.map((line) => ({
        label: line.name, scale: line.scale ?? "y", stroke: colour(line.colour), width: 2, dash: line.dash,
        fill: line.fill ? colour("--fill-1") : undefined, spanGaps: false,
        points: { show: false, size: 5, fill: colour(line.colour), filter: alone },
      }))],
      axes: [
        { stroke: colour("--soft"), font: "12px system-ui, sans-serif", grid: { show: false }, ticks: { show: false }, size: 26, space: 70,
          values: (_, splits) => splits.map((seconds) => clock(seconds * 1_000)) },
        ...this.spec.axes.map(axis),
      ],
      hooks: { setCursor: [() => this.#legend()] },
    }, this.points.columns(this.spec.lines), this.area);
    this.draw();
  }

  draw() {
    if (!this.plot) return;
    this.plot.batch(() => {
      this.plot.setData(this.points.columns(this.spec.lines), false);
      const [from, to] = this.points.window();
      this.plot.setScale("x", { min: from, max: to });
      for (const [scale] of this.spec.axes) this.plot.setScale(scale, { min: null, max: null });
    });
    this.#legend();
    if (this.details.open) this.#fillTable();
  }

  #resize() {
    const width = this.area.clientWidth;
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  /** The legend shows the second under the cursor, else the last one. */
  #legend() {
    const at = this.plot?.cursor.idx ?? this.points.list.length - 1;
    const point = this.points.list[at];
    if (!point) return;
    say(this.time, `${clock(point.t)} UTC`);
    this.spec.lines.forEach((line, index) => say(this.values[index], shown(line, point)));
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Escape") this.#leave();
    if (step === undefined || this.points.list.length === 0) return;
    event.preventDefault();
    const [first, last] = this.points.visible();
    const now = this.plot.cursor.idx ?? last;
    const at = Math.max(first, Math.min(last, now + step));
    const point = this.points.list[at];
    this.plot.setCursor({ left: this.plot.valToPos(point.t / 1_000, "x"), top: 10 });
    const values = this.spec.lines.map((line) => `${line.name} ${shown(line, point)}`);
    say(this.read, `${clock(point.t)} UTC: ${values.join(", ")}`);
  }

  #leave() {
    this.plot?.setCursor({ left: -10, top: -10 });
    say(this.read, "");
  }

  #fillTable() {
    const rows = this.points.list.filter((point) => !point.gap).slice(-TABLE_ROWS).reverse();
    follow(this.table.tBodies[0], rows, (point) => point.t,
      (point) => el("tr", {}, el("th", { scope: "row" }, clock(point.t)), ...this.spec.lines.map((line) => el("td", { class: "number" }, shown(line, point)))),
      () => {});
  }
}

function shown(line, point) {
  const value = point.gap ? null : line.value(point);
  return value === null || value === undefined ? "–" : line.show(value);
}

/** The seconds that are known, oldest first; a gap where the page heard nothing. */
class Points {
  list = [];
  seconds = 120;

  static KEPT = 1_200;
  static GAP_MS = 3_000;

  add(point) {
    const last = this.list.at(-1);
    if (last && point.t <= last.t) return;
    if (last && point.t - last.t > Points.GAP_MS) this.list.push({ t: last.t + 1_000, gap: true });
    this.list.push(point);
    if (this.list.length > Points.KEPT) this.list.splice(0, this.list.length - Points.KEPT);
  }

  columns(lines) {
    const values = (line) => this.list.map((point) => (point.gap ? null : line.value(point)));
    return [this.list.map((point) => point.t / 1_000), ...lines.map(values)];
  }

  /** What the charts show, in seconds since 1970. */
  window() {
    const to = (this.list.at(-1)?.t ?? Date.now()) / 1_000;
    return [to - this.seconds, to];
  }

  visible() {
    const from = this.window()[0] * 1_000;
    return [this.list.findIndex((point) => point.t >= from), this.list.length - 1];
  }
}

export class Charts {
  constructor() {
    this.points = new Points();
    this.all = CHARTS.map((spec) => new Chart(spec, this.points));
    for (const choice of document.querySelectorAll("input[name=span]")) {
      choice.addEventListener("change", () => {
        this.points.seconds = Number(choice.value);
        this.draw();
      });
      if (choice.checked) this.points.seconds = Number(choice.value);
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.build());
    this.build();
  }

  build() {
    this.all.forEach((chart) => chart.build());
  }

  add(points) {
    points.forEach((point) => this.points.add(point));
  }

  draw() {
    this.all.forEach((chart) => chart.draw());
  }
}

// Chromium for the scenarios, and the line to the test that started this: it does what a page cannot (kill the engine,
// make its database refuse). A request goes out as a line `@ name argument`, the answer comes in as a line of JSON.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const PATIENCE_MS = 60_000;
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
// Only a question keeps the scenario from its end.
process.stdin.unref?.();

/** Asks the test for something, and waits until it is done. */
export async function please(...request) {
  console.log(`@ ${request.join(" ")}`);
  process.stdin.ref?.();
  const { value, done } = await answers.next();
  process.stdin.unref?.();
  assert(!done, "the test went away");
  return JSON.parse(value);
}

/** Runs a scenario in a browser of its own, which is gone afterwards. */
export async function inBrowser(options, scenario) {
  const profile = mkdtempSync(join(tmpdir(), "floodgate-browser-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.FLOODGATE_CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS,
    viewport: { width: 1360, height: 900 }, reducedMotion: "reduce", ...options,
  });
  browser.setDefaultTimeout(Number(process.env.FLOODGATE_PATIENCE_MS ?? PATIENCE_MS));
  try {
    await scenario(browser);
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** A page whose console and errors are kept; what was said that nobody expected fails the scenario in `quiet`. */
export async function open(browser, path = "dashboard") {
  const page = await browser.newPage();
  page.said = [];
  page.on("console", (message) => page.said.push(`${message.type()}: ${message.text()} (${message.location().url})`));
  page.on("pageerror", (error) => page.said.push(`error: ${error}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(base()).origin) page.said.push(`left the house: ${request.url()}`);
    if (request.url().includes(process.env.FLOODGATE_TOKEN)) page.said.push("the token is in an address");
  });
  await page.goto(new URL(path, base()).href);
  return page;
}

export const base = () => process.env.FLOODGATE_URL;

/** The console is empty, but for what `expected` allows. */
export function quiet(page, expected = () => false) {
  assert.deepEqual(page.said.filter((line) => !expected(line)), [], "the console is not empty");
}

/** A figure as a number, from its text. */
export async function figure(page, selector) {
  return Number((await page.locator(selector).innerText()).replaceAll(",", ""));
}

/** Waits until the page says so. */
export const says = (page, selector, text) => page.locator(selector).filter({ hasText: text }).first().waitFor();

export async function signIn(page, token = process.env.FLOODGATE_TOKEN) {
  await page.locator("#sign").click();
  await page.locator("#token").fill(token);
  await page.keyboard.press("Enter");
  await page.locator("#sign", { hasText: "Sign out" }).waitFor();
}

/** Rules of accessibility that a program can check, AA contrast among them. */
export async function accessible(page, what) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const told = found.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`);
  assert.deepEqual(told, [], `${what}: not accessible`);
}

/** Whether a chart has drawn its first line, in that line's own colour. */
export const drawn = (page, chart) => page.waitForFunction((id) => {
  const canvas = document.querySelector(`#${id} canvas`);
  if (!canvas) return false;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--line-1").trim();
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] > 200) return true;
  }
  return false;
}, chart);

export { assert };

// Light, dark and narrow: every look is accessible and fits its window. `--pictures DIR` keeps them.

import { join } from "node:path";
import { accessible, assert, drawn, inBrowser, open, please, quiet, says, signIn } from "./browser.mjs";

const at = process.argv.indexOf("--pictures");
const pictures = at < 0 ? null : process.argv[at + 1];

const LOOKS = [
  { name: "light", options: { colorScheme: "light" } },
  { name: "dark", options: { colorScheme: "dark" } },
  { name: "narrow", options: { colorScheme: "light", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 } },
];

await please("load");
for (const { name, options } of LOOKS) {
  await inBrowser(options, async (browser) => {
    const page = await open(browser);
    await says(page, "#link-text", "Live");
    await signIn(page);
    await page.locator("#order-table tbody").first().waitFor();
    await page.locator("#order-table tbody:nth-of-type(2) .opener").click();
    await page.locator(".steps li").first().waitFor();
    await page.locator(".details .phases").first().waitFor();
    for (const chart of ["chart-orders", "chart-times", "chart-journal", "chart-backlog"]) await drawn(page, chart);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name}: ${wide} pixels too wide`);
    await accessible(page, name);
    if (pictures) await picture(page, name);
    await keyboard(page, name);
    await themes(page, name);
    quiet(page, isOfOurOwnLook);
  });
}

/** The browser's advice to those who read pixels back: that is this test, not the page. */
function isOfOurOwnLook(line) {
  return line.includes("willReadFrequently");
}

async function picture(page, name) {
  await page.mouse.move(0, 0);
  await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0); });
  const { width } = page.viewportSize();
  const clip = { x: 0, y: 0, width, height: name === "narrow" ? 1_500 : 1_900 };
  await page.screenshot({ path: join(pictures, `dashboard-${name}.png`), fullPage: true, clip });
  if (name !== "light") return;
  // Of the whole page: scrolled there, the bar would lie over it.
  const { x, y, width: wide, height } = await page.locator("#orders").boundingBox();
  const around = { x: x - 16, y: y - 16, width: wide + 32, height: Math.min(height, 900) + 32 };
  await page.screenshot({ path: join(pictures, "dashboard-orders.png"), fullPage: true, clip: around });
}

/** Everything is reached by the tabulator, each place can be seen, and the first leads past the bar. */
async function keyboard(page, name) {
  // A fresh page: the tabulator goes on from the last click otherwise.
  await page.reload();
  await page.locator("#order-table tbody").first().waitFor();
  const places = [];
  for (let presses = 0; presses < 200; presses += 1) {
    await page.keyboard.press("Tab");
    const [place, outline] = await page.evaluate(() => {
      const at = document.activeElement;
      if (at === document.body || at.dataset.wasHere) return [null];
      at.dataset.wasHere = "yes";
      return [`${at.tagName} ${at.id} ${at.className} ${at.textContent.trim().slice(0, 40)}`, getComputedStyle(at).outlineStyle];
    });
    if (place === null) break;
    assert.notEqual(outline, "none", `${name}: ${place} has the focus, and nobody sees it`);
    places.push(place);
  }
  const all = places.join("\n");
  assert.match(places[0], /skip/);
  for (const expected of ["pause", "theme", "sign", "area", "warmup-start", "order-id", "opener", "orders-more"]) {
    assert.ok(all.includes(expected), `${name}: ${expected} is not reached by keyboard:\n${all}`);
  }
}

/** The button goes round: automatic, light, dark; what was chosen outlives the page. */
async function themes(page, name) {
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const automatic = await paper();
  const button = page.locator("#theme");
  await button.click();
  const light = await paper();
  await button.click();
  const dark = await paper();
  assert.notEqual(light, dark);
  assert.equal(automatic, name === "dark" ? dark : light);
  await accessible(page, `${name}, made dark`);
  await page.reload();
  await says(page, "#theme", "dark");
  assert.equal(await paper(), dark);
}

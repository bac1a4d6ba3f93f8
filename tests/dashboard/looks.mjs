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
    for (const chart of ["chart-orders", "chart-times", "chart-journal", "chart-backlog"]) await drawn(page, chart);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name}: ${wide} pixels too wide`);
    await accessible(page, name);
    if (pictures) await picture(page, name);
    await themes(page, name);
    quiet(page);
  });
}

async function picture(page, name) {
  await page.mouse.move(0, 0);
  await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0); });
  const { width } = page.viewportSize();
  const clip = { x: 0, y: 0, width, height: name === "narrow" ? 1_500 : 1_900 };
  await page.screenshot({ path: join(pictures, `dashboard-${name}.png`), fullPage: true, clip });
  if (name === "light") await page.locator("#orders").screenshot({ path: join(pictures, "dashboard-orders.png") });
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

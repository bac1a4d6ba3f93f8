// The first ten minutes, as they are seen in the browser: an empty dashboard, the first order, a crash, the recovery.

import { assert, drawn, inBrowser, open, please, quiet, says, signIn } from "./browser.mjs";

/** The engine is heard. What it says of the machine's disk and speed is another matter. */
const WELL = /All is well|Worth a look|Needs you now/;

await inBrowser({}, async (browser) => {
  const page = await open(browser);
  await says(page, "#link-text", "Live, read only");
  await says(page, "#verdict-title", WELL);
  await says(page, "#verdict-text", "No order in the last minute");
  assert.equal(await products(page), 40, "the sample catalogue is there");

  const first = await please("buy");
  await says(page, "#tile-orders-note", "1 in the last minute");
  await signIn(page);
  const row = page.locator(`tbody[data-key="${first.order_id}"]`);
  await row.locator(".opener").click();
  await says(page, `tbody[data-key="${first.order_id}"] .order`, first.invoice_number);
  await says(page, ".steps li", "Placed");

  await please("kill");
  await says(page, "#verdict-title", "The engine does not answer");
  await says(page, "#log-lines", "What was answered with 201 is in its journal");

  await please("start");
  await says(page, "#verdict-title", WELL);
  await says(page, "#log-lines", "started again");
  await says(page, "#about", "run 2");
  await row.locator("td:last-child", { hasText: "yes" }).first().waitFor();
  await says(page, `tbody[data-key="${first.order_id}"] .order`, first.invoice_number);
  assert.equal(await products(page), 40);

  const second = await please("buy");
  assert.equal(second.order_id, first.order_id + 1);
  await page.locator("#orders-newer").click();
  await page.locator(`tbody[data-key="${second.order_id}"]`).waitFor();
  await drawn(page, "chart-orders");
  quiet(page, isOfTheCrash);
});

/** What a browser says by itself while nobody listens, and while the engine recovers and is not ready yet. */
function isOfTheCrash(line) {
  const cut = ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET"];
  return cut.some((error) => line.includes(error)) || (line.includes("status of 503") && line.includes("/dashboard/events"));
}

async function products(page) {
  const cells = await page.locator("#shards tbody td:nth-child(2)").allInnerTexts();
  return cells.reduce((sum, text) => sum + Number(text.replaceAll(",", "")), 0);
}

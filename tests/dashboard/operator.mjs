// An operator signs in, sees orders come, looks into one, warms up, and tries again what the database refused.

import { accessible, assert, base, drawn, figure, inBrowser, open, please, quiet, says, signIn } from "./browser.mjs";

await inBrowser({}, async (browser) => {
  const page = await open(browser);
  await says(page, "#link-text", "Live, read only");
  await page.locator("#sign").click();
  await page.locator("#token").fill("not the token");
  await page.keyboard.press("Enter");
  await says(page, "#ask-wrong", "not the admin token");
  await page.keyboard.press("Escape");
  await signIn(page);
  assert.equal(await page.evaluate(() => sessionStorage.getItem("floodgate.token")), process.env.FLOODGATE_TOKEN);
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes("e2e-")), false);

  await updates(page);
  await history(page);
  await charts(page);
  await warmUp(page);
  await retry(page);
  await accessible(page, "signed in");
  await page.locator("#sign").click();
  await says(page, "#link-text", "Live, read only");
  assert.equal(await page.locator("#order-table tbody").count(), 0, "orders stay after signing out");
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  // What the engine refused on purpose, a browser writes down.
  const refused = [["401", "admin/parked?limit=1"], ["404", "v1/orders/999999"], ["409", "/retry"]];
  quiet(page, (line) => refused.some(([status, path]) => line.includes(status) && line.includes(path)));
});

/** Orders show up by themselves. */
async function updates(page) {
  await says(page, "#orders-note", "No order yet");
  const placed = await please("buy", 3);
  assert.equal(placed.length, 3);
  for (const order of placed) await page.locator(`#order-table tbody[data-key="${order.order_id}"]`).waitFor();
  await says(page, "#tile-orders-note", "3 in the last minute");
  await page.locator(`tbody[data-key="${placed[0].order_id}"] td:last-child`, { hasText: "yes" }).first().waitFor();
  await please("sell-out");
  await says(page, "#refusals th", "Insufficient stock");
  await says(page, "#hot th", "product 1");
  await says(page, "#facts-writer dd", "0 records");
  assert.ok((await figure(page, "#shards tbody tr:first-child td:nth-child(2)")) > 0, "a shard without products");
}

/** An order opens by keyboard, and tells its history, its phases, its lines. */
async function history(page) {
  const opener = page.locator("#order-table tbody:nth-of-type(1) .opener");
  await opener.focus();
  await page.keyboard.press("Enter");
  await says(page, ".details .steps li", "Placed");
  assert.equal(await opener.getAttribute("aria-expanded"), "true");
  await says(page, ".details .order", "product 1");
  await says(page, ".details [data-phase=journal]", "Journal and sync");
  await page.locator("#order-id").fill("1");
  await page.keyboard.press("Enter");
  await page.locator('tbody[data-key="1"] .steps li').first().waitFor();
  await page.locator("#order-id").fill("999999");
  await page.keyboard.press("Enter");
  await says(page, "#orders-note", "There is no order 999999");
}

/** The charts are drawn, and read by keyboard and as a table. */
async function charts(page) {
  for (const chart of ["chart-orders", "chart-journal"]) await drawn(page, chart);
  await page.locator("#chart-orders .area").focus();
  await page.keyboard.press("ArrowLeft");
  await says(page, "#chart-orders [role=status]", "Placed");
  await page.locator("#chart-orders summary").click();
  assert.ok((await page.locator("#chart-orders tbody tr").count()) > 0, "an empty table");
}

async function warmUp(page) {
  await page.locator("#warmup-start").click();
  await says(page, "#warmup-note", "It has begun");
  await says(page, "#warmup-text", "loaded");
}

/** What the database refused is shown, refused once more with its reason, and written when the reason is gone. */
async function retry(page) {
  const { order_id: id, seq } = await please("refuse");
  const row = page.locator(`#parked li[data-key="${seq}"]`);
  await row.waitFor();
  const trouble = page.locator("#verdict-troubles li", { hasText: "refused by the database waits" });
  await trouble.waitFor();
  // Not «All is well»; what else there is depends on the machine (its disk may be nearly full).
  await says(page, "#verdict-title", /Worth a look|Needs you now/);
  await row.getByRole("button", { name: `Try Placed of order ${id} again` }).click();
  await says(page, "#attention-said", "refuse");
  await please("accept");
  await row.getByRole("button").click();
  await says(page, "#attention-said", "done");
  await row.waitFor({ state: "detached" });
  await trouble.waitFor({ state: "detached" });
}

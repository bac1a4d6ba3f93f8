// A visitor at the machine looks without a token; one from elsewhere is asked for it.

import { accessible, assert, drawn, inBrowser, open, please, quiet, says, signIn } from "./browser.mjs";

await inBrowser({}, async (browser) => {
  const page = await open(browser);
  await says(page, "#link-text", "Live, read only");
  const [order] = await please("buy", 1);
  await says(page, "#tile-orders-note", "1 in the last minute");
  await drawn(page, "chart-orders");
  for (const section of ["#orders", "#attention"]) await says(page, `${section} .locked`, "admin token");
  for (const hidden of ["#order-table", "#order-find", "#parked", "#warmup-start"]) {
    assert.equal(await page.locator(hidden).isVisible(), false, `${hidden} is shown to an onlooker`);
  }
  const text = await page.content();
  assert.equal(text.includes(order.invoice_number), false, "an order is in the page");
  assert.equal(await page.locator("#order-table tbody").count(), 0);
  quiet(page);
});

await inBrowser({ extraHTTPHeaders: { "x-forwarded-for": "203.0.113.7" } }, async (browser) => {
  const page = await open(browser);
  await page.locator("#token").waitFor();
  await says(page, "#verdict-title", "Sign in to look");
  await accessible(page, "asked for the token");
  await page.locator("#token").fill(process.env.FLOODGATE_TOKEN);
  await page.keyboard.press("Enter");
  await says(page, "#link-text", "Live");
  await says(page, "#order-table tbody", "Pending payment");
  quiet(page, (line) => line.includes("401") && line.includes("/dashboard"));
});

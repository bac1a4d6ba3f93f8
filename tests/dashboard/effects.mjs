// Side effects that gave up: shown, and tried again, as soon as the engine's document has the routes. The engine of this
// scenario need not have them: its answers are made up here, as the API's contract describes them.

import { assert, inBrowser, open, quiet, says, signIn } from "./browser.mjs";

await inBrowser({}, async (browser) => {
  let failed = [{ id: 7, kind: "email", order_id: 1001, receiver: "shop", attempts: 5, error: "the mail server is away" }];
  const answer = (route, json) => route.fulfill({ status: 200, contentType: "application/json", body: JSON.stringify(json) });
  await browser.route("**/openapi.json", (route) => answer(route, { paths: { "/admin/effects": {}, "/admin/parked": {} } }));
  await browser.route("**/admin/effects?*", (route) => answer(route, { data: failed, next_cursor: null }));
  await browser.route("**/admin/effects/7/retry", (route) => {
    assert.equal(route.request().method(), "POST");
    assert.match(route.request().headers().authorization, /^Bearer /);
    failed = [];
    return answer(route, {});
  });
  const page = await open(browser);
  await signIn(page);
  await says(page, "#effects li", "the mail server is away");
  await page.getByRole("button", { name: "Try Email of order 1001 again" }).click();
  await says(page, "#attention-said", "done");
  await says(page, "#effects-note", "None");
  await says(page, "#parked-note", "Nothing");
  quiet(page);
});

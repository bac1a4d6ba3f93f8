import { readFileSync, existsSync } from "node:fs";
import { inBrowser, open, says, signIn, accessible } from "./browser.mjs";
const which=(process.argv[2]??'light,dark,narrow').split(',');
const dev = async (browser) => browser.route(/\/dashboard(\/[^?]*)?$/, (route) => {
  const path=new URL(route.request().url()).pathname; 
  if (path.endsWith('/events')) return route.continue();
  const f='/work/wt/dash/src/dashboard/'+(path==='/dashboard'?'index.html':path.slice('/dashboard/'.length));
  const t={html:'text/html',css:'text/css',js:'text/javascript',svg:'image/svg+xml'}[f.split('.').pop()];
  if(!existsSync(f)) return route.continue();
  route.fulfill({status:200,body:readFileSync(f),headers:{'content-type':t,'content-security-policy':"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"}});
});
const LOOKS={light:{colorScheme:"light"},dark:{colorScheme:"dark"},narrow:{viewport:{width:390,height:844},deviceScaleFactor:1.5},top:{colorScheme:'light'}};
for (const name of which) await inBrowser(LOOKS[name], async (browser) => {
  await dev(browser);
  const page = await open(browser);
  await says(page,'#link-text','Live');
  await signIn(page);
  await page.locator("#order-table tbody").first().waitFor();
  await page.locator("#order-table tbody:nth-of-type(2) .opener").click();
  await page.locator(".steps li").first().waitFor();
  await new Promise(r=>setTimeout(r,2500));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  console.log(name,'too wide by',wide);
  try { await accessible(page,name);} catch(e){console.log(String(e.message).slice(0,3000));}
  await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0); });
  await page.screenshot({path:`/tmp/dashwork/${name}.png`,fullPage:name!=='top'});
  console.log(page.said);
});
process.exit(0);

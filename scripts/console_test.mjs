// The console in a real browser, as an analyst uses it. Called by scripts/test-console with an address and an admin's key.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.NODE_PATH, "x"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [base, key] = process.argv.slice(2);
const shots = path.join(process.env.CARGO_TARGET_DIR ?? "target", "console");
fs.mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let failed = 0;
const step = async (name, work) => {
  try {
    await work();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n        ${String(error.stack ?? error).replaceAll("\n", "\n        ")}`);
  }
};

const desktop = { width: 1360, height: 860 };
const opened = async (options = {}) => {
  const context = await browser.newContext({ viewport: desktop, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const troubles = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (line) => line.type() === "error" && !/40[34]/.test(line.text()) && troubles.push(line.text()));
  return { context, page, troubles };
};
const logIn = async (page) => {
  await page.goto(`${base}/queue`);
  await page.fill("#key", key);
  await page.click("button.main");
  await page.waitForURL("**/queue");
};
const call = async (address, body) => {
  const answer = await fetch(base + address, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const told = await answer.text();
  assert.ok(answer.ok, `${address}: ${answer.status} ${told}`);
  return JSON.parse(told);
};

// One actor of this run alone, so that a service may be tested again and again.
const run = Date.now().toString(36);
const letters = [...run].map((c) => "bdfgklmnprstvzaeioubdfgklmnprstvzaeiou"["0123456789abcdefghijklmnopqrstuvwxyz".indexOf(c)]).join("");
const handle = `quorvan_${letters}`;
const banned = {
  id: `x:banned-${run}`, platform: "x", handle, display_name: `Quorvan ${letters}`,
  bio: `Nightly dispatches of the ${letters} lanterns`, links: [`https://t.me/quorvan${letters}`],
  ban: { reason: "test of the console", network: `quorvan-${letters}`, banned_at: new Date(Date.now() - 3_600_000).toISOString() },
};
const back = { id: `x:back-${run}`, platform: "x", handle: `${handle.replace("o", "о")}_2`, display_name: banned.display_name, links: banned.links };
const again = { id: `telegram:again-${run}`, platform: "telegram", handle: `${handle}.official`, bio: `Nightly dispatches of the ${letters} lanterns`, links: banned.links };
const entryPage = `/entries/${encodeURIComponent(banned.id)}`;

const { page, troubles } = await opened();
await step("nobody sees a page without a key", async () => {
  await page.goto(`${base}/dashboard`);
  assert.match(page.url(), /\/login\?next=%2Fdashboard$/);
  await page.fill("#key", "wrong");
  await page.click("button.main");
  assert.ok(await page.locator("[role=alert]").isVisible());
});
await step("a key logs in, and leads where one wanted to go", async () => {
  await page.goto(`${base}/dashboard`);
  await page.fill("#key", key);
  await page.click("button.main");
  await page.waitForURL("**/dashboard");
});
await step("a ban is found as one types", async () => {
  await call("/v1/watchlist", banned);
  await page.goto(`${base}/queue`);
  await page.keyboard.press("/");
  await page.keyboard.type("quor");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/search?handle=quor");
  await page.locator("#handle").press("End");
  await page.keyboard.type(`van_${letters}7`);
  await page.locator("#rows .relation", { hasText: "same core" }).first().waitFor();
  assert.match(page.url(), new RegExp(`quorvan_${letters}7$`));
  await page.screenshot({ path: path.join(shots, "search.png") });
  await page.locator("#rows a.whole").first().click();
  await page.waitForURL(`**${entryPage}`);
  assert.match(await page.textContent("main"), /Nothing that was screened resembled this entry yet/);
});

let flag = "";
await step("a mirror that signs up is in the queue", async () => {
  const report = await call("/v1/screen", back);
  assert.notEqual(report.verdict, "clear");
  await page.goto(`${base}/queue`);
  const found = page.locator("a.whole", { hasText: back.handle });
  for (let pages = 0; (await found.count()) === 0 && pages < 20; pages += 1) await page.click("a[rel=next]");
  flag = new URL(await found.getAttribute("href"), base).pathname;
  await page.screenshot({ path: path.join(shots, "queue.png") });
  await found.click();
  await page.waitForURL(`**${flag}`);
});
await step("its page marks the letter that only looks the same", async () => {
  const letter = page.locator(".evidence mark.lookalike").first();
  assert.equal(await letter.textContent(), "о");
  assert.equal(await letter.getAttribute("title"), "U+043E Cyrillic");
  assert.match(await page.textContent(".swaps"), /U\+043E Cyrillic.*U\+006F Latin/);
  assert.ok((await page.locator(".evidence .fall rect.for").count()) >= 2);
  await page.screenshot({ path: path.join(shots, "decision.png") });
});
await step("the replay gives the same bytes", async () => {
  await page.click("text=Replay");
  assert.match(await page.textContent("[role=status]"), /The same \d+ bytes/);
  await page.goBack();
});
await step("m judges it a mirror, with a note", async () => {
  await page.fill("#note", "the same channel");
  await page.keyboard.press("Escape");
  await page.keyboard.press("m");
  await page.locator("p.said").waitFor();
  assert.match(await page.textContent("p.said"), /judged a mirror by .*the same channel/);
});
await step("the lineage grows", async () => {
  await call("/v1/screen", again);
  await page.goto(base + entryPage);
  assert.equal(await page.locator(".lineage a").count(), 2);
  await page.locator(".flags a.whole", { hasText: again.handle }).click();
  await page.click("button.mirror");
  await page.locator("p.said").waitFor();
  await page.goto(base + entryPage);
  assert.equal(await page.locator(".lineage a").count(), 3);
  assert.equal(await page.locator(".timeline .dot.mirror").count(), 2);
  await page.screenshot({ path: path.join(shots, "entry.png"), fullPage: true });
});
await step("undo takes it back", async () => {
  await page.goto(base + flag);
  await page.keyboard.press("z");
  await page.locator("#note").waitFor();
  await page.goto(base + entryPage);
  assert.equal(await page.locator(".lineage a").count(), 2);
});
await step("n and u judge too", async () => {
  for (const [pressed, told] of [["n", "not a mirror"], ["u", "unsure"]]) {
    await page.goto(base + flag);
    await page.keyboard.press(pressed);
    await page.locator("p.said").waitFor();
    assert.ok((await page.textContent("p.said")).includes(`judged ${told}`));
    await page.keyboard.press("z");
    await page.locator("#note").waitFor();
  }
});
await step("removals are ticked off and exported", async () => {
  await page.goto(`${base}/removals?platform=x`);
  await page.getByLabel(`@${handle}`, { exact: true }).check();
  await page.click("text=Mark as removed");
  await page.goto(`${base}/removals?platform=x&standing=removed`);
  assert.equal(await page.getByLabel(`@${handle}`, { exact: true }).count(), 1);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Export as CSV")]);
  const table = fs.readFileSync(await download.path(), "utf8");
  assert.match(table, /^\ufeffid,platform,kind,handle/);
  assert.ok(!table.includes(handle + ","), "what is gone is not asked for again");
});
await step("no page broke its own policy or script", async () => assert.deepEqual(troubles, []));

await step("look-ups, judging and undoing work without JavaScript", async () => {
  const plain = await opened({ javaScriptEnabled: false });
  await logIn(plain.page);
  await plain.page.fill("#find", handle);
  await plain.page.press("#find", "Enter");
  await plain.page.locator("#rows a.whole").first().click();
  await plain.page.waitForURL(`**${entryPage}`);
  await plain.page.goto(base + flag);
  await plain.page.click("button.unsure");
  assert.match(await plain.page.textContent("p.said"), /judged unsure/);
  await plain.page.click("text=Undo");
  assert.equal(await plain.page.locator("#note").count(), 1);
  await plain.context.close();
});

// Every page by axe, in light and dark, on a desk and on a phone; none wider than its window. The policy of the page
// keeps foreign scripts out, so axe is let in here alone.
const audited = await opened({ bypassCSP: true });
await logIn(audited.page);
const addresses = {
  queue: "/queue", empty: "/queue?page=999", search: `/search?handle=${handle}`, entry: entryPage, decision: flag,
  replay: `${flag}/replay`, networks: "/networks", removals: "/removals?platform=x", dashboard: "/dashboard", missing: "/entries/nobody",
};
for (const [mode, colorScheme, viewport] of [["light", "light", desktop], ["dark", "dark", desktop], ["phone", "light", { width: 390, height: 844 }]]) {
  await step(`axe finds nothing: ${mode}`, async () => {
    await audited.page.emulateMedia({ colorScheme });
    await audited.page.setViewportSize(viewport);
    const found = [];
    for (const [name, address] of Object.entries(addresses)) {
      await audited.page.goto(base + address);
      await audited.page.evaluate(axe);
      const result = await audited.page.evaluate(() => globalThis.axe.run(document));
      for (const { id, nodes } of result.violations) found.push(`${name}: ${id}: ${nodes[0].html.slice(0, 200)}`);
      const isWider = await audited.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      if (isWider) found.push(`${name}: wider than the window`);
      await audited.page.screenshot({ path: path.join(shots, `${name}-${mode}.png`), fullPage: mode === "phone" });
    }
    assert.deepEqual(found, []);
  });
}
await step("axe finds nothing: the door", async () => {
  const door = await opened({ bypassCSP: true });
  await door.page.goto(`${base}/login`);
  await door.page.evaluate(axe);
  const { violations } = await door.page.evaluate(() => globalThis.axe.run(document));
  assert.deepEqual(violations.map(({ id }) => id), []);
});
await step("logging out ends it", async () => {
  await page.goto(`${base}/queue`);
  await page.click("text=Log out");
  await page.goto(`${base}/queue`);
  assert.match(page.url(), /\/login/);
});

await browser.close();
console.log(failed === 0 ? `console: all passed; screenshots in ${shots}` : `console: ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

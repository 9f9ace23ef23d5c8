// How the pages look, and whether everyone can use them: any screen, by day and by night, by keyboard, by ear.

import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { faintWords, ring, tools } from "./contrast.js";
import { arrive } from "./setup.js";

const SCREENS = { phone: { width: 360, height: 740 }, tablet: { width: 900, height: 1100 }, desk: { width: 1280, height: 900 } };
const SCHEMES = ["light", "dark"];
const PAGES = { shop: "/", account: "/account", nothing: "/nothing" };

for (const [name, viewport] of Object.entries(SCREENS)) {
  test(`the keyboard reaches everything and comes back, on a ${name}`, async () => {
    const visitor = await arrive({ viewport });
    await visitor.settle();
    await visitor.page.goto("/");
    const stops = await visitor.stops();
    for (const wanted of ["Stamp", "Remove Brass hook no. 7", "Name", "Password", "Sign in"]) {
      assert.ok(stops.includes(wanted), wanted);
    }
    assert.deepEqual(await visitor.walk("Tab", stops.length), stops);
    assert.deepEqual(await visitor.walk("Shift+Tab", stops.length - 1), stops.toReversed().slice(1));
  });
}

/** Looks at the shop with something in it, and as somebody who is signed in at every page. */
async function onEachPage(visitor, look) {
  await visitor.settle();
  await visitor.page.goto("/");
  await look("anonymous");
  await visitor.signIn("alice", "wonderland");
  for (const [page, path] of Object.entries(PAGES)) {
    await visitor.page.goto(path);
    await look(page);
  }
}

test("it fits a phone, a tablet and a desk, by day and by night", async (context) => {
  const folder = process.env.SCREENSHOTS ?? (await mkdtemp(join(tmpdir(), "coatroom-screenshots-")));
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    for (const colorScheme of SCHEMES) {
      const visitor = await arrive({ viewport, colorScheme });
      const look = async (page) => {
        const overflow = await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${page} is ${overflow} px too wide on a ${screen}`);
        await visitor.page.screenshot({ path: join(folder, `${page}-${screen}-${colorScheme}.png`), fullPage: true });
      };
      await look("empty");
      await onEachPage(visitor, look);
    }
  }
  context.diagnostic(`screenshots are in ${folder}`);
});

for (const colorScheme of SCHEMES) {
  test(`words and the ring of the focus stand out, in ${colorScheme} colours`, async () => {
    const visitor = await arrive({ colorScheme });
    const look = async (page) => {
      await visitor.page.evaluate(tools);
      assert.deepEqual(await visitor.page.evaluate(faintWords), [], page);
      for (const stop of await visitor.stops()) {
        await visitor.page.keyboard.press("Tab");
        const contrast = await visitor.page.evaluate(ring);
        assert.ok(contrast >= 3, `the ring around ${stop} on the page ${page}: ${contrast.toFixed(2)}`);
      }
    };
    await onEachPage(visitor, look);
  });
}

test("day and night differ", async () => {
  const papers = new Set();
  for (const colorScheme of SCHEMES) {
    const visitor = await arrive({ colorScheme });
    papers.add(await visitor.page.evaluate(() => getComputedStyle(document.body).backgroundColor));
  }
  assert.equal(papers.size, 2);
});

test("what is named otherwise than it reads begins with what it reads", async () => {
  const visitor = await arrive();
  await visitor.settle();
  await visitor.signIn("alice", "wonderland");
  let seen = 0;
  for (const path of Object.values(PAGES)) {
    await visitor.page.goto(path);
    const labelled = await visitor.page.locator("a[aria-label], button[aria-label]").all();
    for (const element of labelled) {
      const [name, text] = [await element.getAttribute("aria-label"), await element.innerText()];
      // A sign such as "+" is no word to say.
      if (!/\p{L}/u.test(text)) continue;
      assert.ok(name.startsWith(text), `${JSON.stringify(text)} is named ${JSON.stringify(name)}`);
      seen += 1;
    }
  }
  assert.ok(seen > 8, "goods, cart and account have such buttons");
});

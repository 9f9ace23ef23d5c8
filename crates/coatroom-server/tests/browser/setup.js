// One browser for a file of tests; a shop of its own for each test, with its visitors.

import { after, afterEach, before, beforeEach } from "node:test";
import { Visitor, launch } from "./browser.js";
import { Shop } from "./server.js";

let browser, visitors;

/** The shop of the running test. */
export let shop;

before(async () => {
  browser = await launch();
});
beforeEach(async () => {
  shop = await Shop.open();
  visitors = [];
});
afterEach(async () => {
  try {
    for (const visitor of visitors) await visitor.leave();
  } finally {
    await shop.close();
  }
});
after(() => browser.close());

/** A visitor who has just come to the shop. */
export async function arrive(options) {
  const visitor = await Visitor.arrive(browser, shop, options);
  visitors.push(visitor);
  return visitor;
}

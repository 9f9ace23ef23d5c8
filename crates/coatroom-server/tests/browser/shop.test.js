// The demo shop in a real Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { elsewhere } from "./server.js";
import { arrive, shop } from "./setup.js";

test("looking around makes no session, buying does", async () => {
  const visitor = await arrive();
  await visitor.page.getByText("You have no ticket yet").waitFor();
  assert.deepEqual(await visitor.context.cookies(), []);
  await visitor.buy("Signal scarf");
  await visitor.page.getByText("Signal scarf is in your cart.").waitFor();
  const [cookie] = await visitor.context.cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite, cookie.expires], ["coatroom-demo", true, "Lax", -1]);
});

test("goods are bought, counted and removed", async () => {
  const visitor = await arrive();
  await visitor.buy("Signal scarf");
  await visitor.buy("Brass hook no. 7");
  await visitor.button("One Brass hook no. 7 more").click();
  assert.deepEqual(await visitor.cart(), ["1 Signal scarf", "2 Brass hook no. 7"]);
  assert.equal(await visitor.page.locator("#cart .total strong").innerText(), "€92");
  await visitor.button("One Brass hook no. 7 less").click();
  await visitor.button("Remove Signal scarf").click();
  assert.deepEqual(await visitor.cart(), ["1 Brass hook no. 7"]);
  await visitor.button("Remove Brass hook no. 7").click();
  await visitor.page.getByText("Nothing yet.").waitFor();
});

test("signing in keeps the cart and changes the cookie", async () => {
  const visitor = await arrive();
  await visitor.buy("Errand umbrella");
  const [before] = await visitor.context.cookies();
  await visitor.signIn("alice", "builder");
  await visitor.page.getByText("The name or the password is wrong.").waitFor();
  await visitor.signIn("alice", "wonderland");
  await visitor.page.getByRole("link", { name: "Signed in as alice" }).waitFor();
  assert.deepEqual(await visitor.cart(), ["1 Errand umbrella"]);
  const [after] = await visitor.context.cookies();
  assert.notEqual(after.value, before.value);
});

test("signing out ends it, and the back button shows nothing of the account", async () => {
  const visitor = await arrive();
  await visitor.signIn("alice", "wonderland");
  await visitor.page.getByRole("link", { name: "Signed in as alice" }).click();
  await visitor.page.getByRole("heading", { name: "Where you are signed in" }).waitFor();
  await visitor.button("Sign out").click();
  await visitor.button("Sign in").waitFor();
  assert.deepEqual(await visitor.context.cookies(), []);
  for (let steps = 0; steps < 3; steps += 1) {
    await visitor.page.goBack();
    await visitor.button("Sign in").waitFor();
    assert.ok(!(await visitor.page.content()).includes("Signed in as"));
    assert.ok(!(await visitor.page.content()).includes("Where you are signed in"));
  }
});

test("two browsers of one user see each other, and one ends the other", async () => {
  const here = await arrive();
  const there = await arrive();
  for (const visitor of [here, there]) await visitor.signIn("bob", "builder");
  await here.page.goto("/account");
  assert.equal(await here.page.getByRole("row").count(), 3);
  await here.button("End the other session").click();
  await here.page.getByText("The other session is ended.").waitFor();
  assert.equal(await here.page.getByRole("row").count(), 2);
  await there.page.reload();
  await there.button("Sign in").waitFor();
  await here.page.reload();
  await here.page.getByRole("link", { name: "Signed in as bob" }).waitFor();
});

test("a session ended by its own button is gone from its browser", async () => {
  const here = await arrive();
  const there = await arrive();
  await here.signIn("bob", "builder");
  await there.signIn("bob", "builder");
  await here.page.goto("/account");
  await here.page.getByRole("row").filter({ hasNotText: "this one" }).getByRole("button").click();
  await here.page.getByText("That session is ended.").waitFor();
  await there.buy("Signal scarf");
  await there.button("Sign in").waitFor();
});

test("cart and login outlive a restart of the server", async () => {
  const visitor = await arrive();
  await visitor.buy("Overnight bag");
  await visitor.signIn("alice", "wonderland");
  await visitor.button("Stamp").click();
  const number = await visitor.page.locator(".ticket .number").innerText();
  await shop.restart();
  await visitor.page.reload();
  await visitor.page.getByRole("link", { name: "Signed in as alice" }).waitFor();
  assert.deepEqual(await visitor.cart(), ["1 Overnight bag"]);
  assert.equal(await visitor.page.locator(".ticket .number").innerText(), number);
  assert.equal(await visitor.page.locator(".ticket .stamps data").innerText(), "1");
});

test("a form on another site changes nothing here", async () => {
  const visitor = await arrive();
  await visitor.signIn("alice", "wonderland");
  const site = await elsewhere(`${shop.url}/cart`, { sku: "hook", quantity: "9" });
  try {
    await visitor.page.goto(site.url);
    const answer = visitor.page.waitForResponse((response) => response.url().endsWith("/cart"));
    await visitor.button("Win a coat").click();
    assert.equal((await answer).status(), 403);
    await visitor.page.getByRole("heading", { name: "That came from another site" }).waitFor();
  } finally {
    site.close();
  }
  await visitor.page.goto("/");
  assert.deepEqual(await visitor.cart(), []);
  await visitor.page.getByRole("link", { name: "Signed in as alice" }).waitFor();
});

test("the bars run down", async () => {
  const visitor = await arrive();
  await visitor.button("Get a first stamp").click();
  for (const id of ["idle", "lifetime"]) {
    const left = () => visitor.page.locator(`#${id}`).evaluate((bar) => bar.value);
    const before = await left();
    await visitor.page.waitForFunction(([id, before]) => document.getElementById(id).value < before, [id, before]);
  }
  assert.match(await visitor.page.locator("#idle-left").innerText(), /^(19|9) min \d+ s left$/);
});

test("the shop works without scripts", async () => {
  const visitor = await arrive({ javaScriptEnabled: false });
  await visitor.buy("Matinée gloves");
  await visitor.signIn("alice", "wonderland");
  assert.deepEqual(await visitor.cart(), ["1 Matinée gloves"]);
  assert.match(await visitor.page.locator("#idle-left").innerText(), / left$/);
});

test("the keyboard alone buys", async () => {
  const visitor = await arrive();
  const { keyboard } = visitor.page;
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  const button = visitor.button("Add to cart: Harbour overcoat");
  for (let steps = 0; steps < 20; steps += 1) {
    await keyboard.press("Tab");
    if (await button.evaluate((element) => element === document.activeElement)) break;
  }
  await keyboard.press("Enter");
  await visitor.page.getByText("Harbour overcoat is in your cart.").waitFor();
});

// A real Chromium, and what visitors do with it.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const USUAL = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts the machine's Chromium: `CHROMIUM`, or where systems put it. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? USUAL.find((path) => existsSync(path));
  if (!executablePath) throw new Error("no Chromium found; install it, or name it in CHROMIUM");
  const args = ["--disable-background-networking", "--disable-component-update", "--disable-quic", "--disable-sync"];
  // Root, as in a container, has no sandbox.
  return chromium.launch({ executablePath, args, chromiumSandbox: process.getuid?.() !== 0 });
}

// Runs in the page.
const NAME = `(element) => element === document.body
  ? "the page itself"
  : element.ariaLabel ?? element.labels?.[0]?.innerText ?? element.innerText`;

/** A visitor with a browser of their own: no cookies, and no mistake that passes unseen. */
export class Visitor {
  static async arrive(browser, shop, options = {}) {
    const visitor = new Visitor();
    visitor.context = await browser.newContext({ baseURL: shop.url, ...options });
    visitor.page = await visitor.context.newPage();
    visitor.mistakes = [];
    visitor.page.on("pageerror", (error) => visitor.mistakes.push(String(error)));
    visitor.page.on("console", (message) => {
      // A refused request is said so by its page.
      const refused = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !refused) visitor.mistakes.push(message.text());
    });
    await visitor.page.goto("/");
    return visitor;
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  async buy(good) {
    await this.button(`Add to cart: ${good}`).click();
  }

  async signIn(name, password) {
    await this.page.getByLabel("Name").fill(name);
    await this.page.getByLabel("Password").fill(password);
    await this.button("Sign in").click();
  }

  /** Leaves something of everything: goods, a stamp, notes. */
  async settle() {
    await this.buy("Harbour overcoat");
    await this.buy("Brass hook no. 7");
    await this.button("Stamp").click();
    const letters = "x".repeat(60);
    for (const name of ["lining", letters]) {
      await this.page.request.put(`/notes/${name}`, { data: `left sleeve ${letters}` });
    }
  }

  /** What the keyboard should reach, by name, in the order of the page. */
  stops() {
    const reached = "(element) => element.tabIndex >= 0 && element.checkVisibility()";
    return this.page.evaluate(`[...document.querySelectorAll("*")].filter(${reached}).map(${NAME})`);
  }

  /** Presses a key so many times; the names of what has the focus after each. */
  async walk(key, times) {
    const names = [];
    for (let steps = 0; steps < times; steps += 1) {
      await this.page.keyboard.press(key);
      names.push(await this.page.evaluate(`(${NAME})(document.activeElement)`));
    }
    return names;
  }

  /** The cart as the page shows it: `2 Signal scarf`. */
  async cart() {
    const lines = await this.page.locator("#cart li").all();
    return Promise.all(
      lines.map(async (line) => {
        const quantity = (await line.locator(".quantity").innerText()).replace(/\D/g, "");
        return `${quantity} ${await line.locator(".name").innerText()}`;
      }),
    );
  }

  async leave() {
    await this.context.close();
    if (this.mistakes.length > 0) throw new Error(`the browser complained: ${this.mistakes.join("; ")}`);
  }
}

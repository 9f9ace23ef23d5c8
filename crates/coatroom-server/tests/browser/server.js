// The shop as a process of its own, in a directory of its own.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../../../..", import.meta.url));

/** The program: `COATROOM_BIN`, or where cargo puts it. */
function program() {
  const target = process.env.CARGO_TARGET_DIR ?? join(REPOSITORY, "target");
  const path = process.env.COATROOM_BIN ?? join(target, "debug", "coatroom");
  if (!existsSync(path)) {
    throw new Error(`${path} is missing; run "cargo build -p coatroom-server", or name the program in COATROOM_BIN`);
  }
  return path;
}

/** A running shop with its sessions in files. */
export class Shop {
  /** Opens a shop on a free port with an empty directory. */
  static async open() {
    const shop = new Shop();
    shop.directory = await mkdtemp(join(tmpdir(), "coatroom-browser-test-"));
    await shop.#start("127.0.0.1:0");
    return shop;
  }

  /** Stops it and starts it again, on the same port with the same directory. */
  async restart() {
    await this.#stop();
    await this.#start(new URL(this.url).host);
  }

  async close() {
    await this.#stop();
    await rm(this.directory, { recursive: true });
  }

  async #start(listen) {
    const options = ["demo", "--listen", listen, "--store", `embedded:${this.directory}`];
    const child = spawn(program(), options, { stdio: ["ignore", "pipe", "inherit"] });
    this.child = child;
    this.ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    const line = new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve));
    const ready = await Promise.race([line, this.ended]);
    this.url = /http:\/\/[^ ]+/.exec(ready)?.[0];
    if (!this.url) throw new Error(`the shop did not open: ${JSON.stringify(ready)}`);
  }

  async #stop() {
    this.child.kill("SIGTERM");
    const { code, signal } = await this.ended;
    if (code !== 0) throw new Error(`the shop ended with ${code ?? signal}`);
  }
}

/** Another site, whose page posts a form to the shop as soon as its button is pressed. */
export async function elsewhere(action, fields) {
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
  const page = `<!doctype html><form method="post" action="${action}">${inputs.join("")}<button>Win a coat</button></form>`;
  const site = createServer((_, response) => response.setHeader("content-type", "text/html").end(page));
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  // By its other name this machine is another site than 127.0.0.1.
  return { url: `http://localhost:${site.address().port}`, close: () => site.close() };
}

// What a user of VS Code does with aiolint, from the missing program to the repaired one. Waits for what must come, never for time.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  copyFileSync, existsSync, globSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Editor, PATIENCE, until } from "./editor.mjs";

const { HOME, PROGRAMS, CHROMIUM, PYTHON, PICTURES } = process.env;
const here = import.meta.dirname;
// Where `cargo install` puts it.
const program = join(HOME, ".cargo/bin/aiolint");

let last = performance.now();
function say(what) {
  const now = performance.now();
  console.log(`ok ${what} (${Math.round(now - last)} ms)`);
  last = now;
}

/** A new folder with copies of these programs. */
function project(name, ...programs) {
  const folder = join(HOME, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "pyproject.toml"), "");
  for (const program of programs) copyFileSync(join(here, "programs", program), join(folder, program));
  return folder;
}

/** Starts VS Code; its address, and what ends it. */
async function start() {
  const log = openSync(join(HOME, "code.log"), "w");
  const options = ["--bind-addr", "127.0.0.1:0", "--auth", "none", "--disable-update-check"];
  const code = spawn("code", options, { stdio: ["ignore", "pipe", log] });
  let output = "";
  const origin = await new Promise((found, fail) => {
    code.stdout.on("data", (data) => {
      output += data;
      const address = /HTTP server listening on (\S+?)\/?\n/.exec(output)?.[1];
      if (address) found(address);
    });
    code.on("exit", (status) => fail(new Error(`code-server ended with ${status}: ${output}`)));
  });
  return { origin, code };
}

/** What the program prints under CPython, its warnings included. */
function runs(folder, file) {
  return execFileSync(PYTHON, ["-X", "dev", file], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

const ERROR = "InvalidStateError: Result is not set";
// The line of the mistake, and a column in it.
const MISTAKE = [12, 30];

const set = (file, settings) => writeFileSync(file, JSON.stringify(settings));

/** The process of the server. */
function server() {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8") === `${program}\0server\0`;
    } catch {
      return false; // It has just ended.
    }
  });
}

async function theMissingProgram(editor) {
  await editor.file("prices.py");
  await editor.notification("there is no aiolint program").waitFor();
  say("a missing program is told");
  symlinkSync(join(PROGRAMS, "aiolint"), program);
  await editor.command("aiolint: Restart Server");
  await editor.seen();
  await editor.command("Notifications: Clear All Notifications");
  say("the program is found on PATH, and so is the mistake");
  const { version } = JSON.parse(readFileSync(join(here, "../../../editors/vscode/package.json"), "utf8"));
  assert((await editor.status()).includes(`aiolint ${version}`), await editor.status());
  say("the status has its version");
}

async function theFinding(editor) {
  await editor.point();
  const message = editor.page.locator(".monaco-hover", { hasText: ERROR });
  await message.waitFor();
  say("the text of the finding is on the screen");
  await message.filter({ hasText: "Quick Fix" }).waitFor();
  await editor.picture("finding.png", 328, 320);
  await message.locator("a.code-link", { hasText: "result-before-done" }).click();
  const page = editor.page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
  await page.getByRole("heading", { name: "What it finds" }).waitFor();
  say("the name of the rule leads to its page");
  await editor.tab("prices.py");
}

async function theTyping(editor) {
  await editor.go(11, 40);
  await editor.press("Enter");
  await editor.type("await price");
  await editor.gone();
  say("the finding goes when the wait is typed");
  await editor.press("Home");
  await editor.watch();
  const rounds = 10;
  for (let round = 0; round < rounds; round++) {
    await editor.type("#");
    await editor.seen();
    await editor.press("Backspace");
    await editor.gone();
  }
  const times = await editor.latencies();
  assert.equal(times.length, rounds);
  const [median, worst] = [times[rounds / 2], times.at(-1)].map(Math.round);
  say(`it comes back when the wait is made a comment: from the key to the screen ${median} ms, at worst ${worst} ms`);
  await editor.press("Control+Shift+k");
  await editor.seen();
}

async function theRepairs(editor, folder) {
  const repairs = {
    "await.py": "Replace with `await price`",
    "gather.py": "Wait with `asyncio.gather(price, return_exceptions=True)`",
    "wait.py": "Wait with `asyncio.wait([price])`",
  };
  for (const [file, title] of Object.entries(repairs)) {
    assert.throws(() => runs(folder, file), new RegExp(ERROR));
    await editor.file(file);
    await editor.seen();
    await editor.go(...MISTAKE);
    const menu = await editor.repairs();
    if (file === "await.py") await editor.picture("repairs.png", 0, 560);
    await menu.filter({ hasText: title }).click();
    await editor.gone();
    await editor.press("Control+s");
    await editor.page.locator(`.tab.active:not(.dirty)[data-resource-name="${file}"]`).waitFor();
    assert.equal(runs(folder, file), "price: 42\n");
    say(`repaired and run: ${title}`);
  }
}

async function theOtherFile(editor) {
  await editor.file("app.py");
  await editor.file("lib.py");
  await editor.command("View: Toggle Problems");
  await editor.problems("prices.py").waitFor();
  assert.equal(await editor.problems("app.py").count(), 0);
  await editor.tab("lib.py");
  await editor.go(1, 1);
  await editor.type("async ");
  await editor.problems("app.py").waitFor();
  await editor.page.locator(".markers-panel", { hasText: "coroutine 'load' was never awaited" }).waitFor();
  say("a change in one file is seen in another");
  for (const _ of "async ") await editor.press("Backspace");
  await editor.problems("app.py").waitFor({ state: "detached" });
  await editor.command("View: Toggle Problems");
  say("and so is taking it back");
}

async function theKilledServer(editor) {
  await editor.tab("prices.py");
  const first = server();
  process.kill(Number(first), "SIGKILL");
  await until("another server", () => server() && server() !== first);
  await editor.go(11, 40);
  await editor.press("Enter");
  await editor.type("await price");
  await editor.gone();
  await editor.press("Control+Shift+k");
  await editor.seen();
  say("a killed server is back");
}

async function theSettings(editor, folder) {
  const settings = join(folder, ".vscode/settings.json");
  mkdirSync(dirname(settings));
  const running = server();
  set(settings, { "aiolint.ignore": ["result-before-done"] });
  await editor.gone();
  set(settings, { "aiolint.severity": { "result-before-done": "warning" } });
  await editor.seen("warning");
  set(settings, { "aiolint.perFileIgnores": { "prices.py": ["result-before-done"] } });
  await editor.gone("warning");
  set(settings, {});
  await editor.seen();
  assert.equal(server(), running);
  say("changed settings hold at once");
  const machine = join(HOME, "data/Machine/settings.json");
  set(machine, { "aiolint.path": "/nowhere/aiolint" });
  await editor.notification("aiolint.path names /nowhere/aiolint, which does not start").waitFor();
  await editor.gone();
  set(machine, {});
  await editor.seen();
  await editor.command("Notifications: Clear All Notifications");
  say("a wrong program is told, and a right one taken at once");
}

async function theStranger(editor) {
  const folder = project("stranger", "prices.py");
  const sprung = join(folder, "sprung");
  mkdirSync(join(folder, ".vscode"));
  set(join(folder, ".vscode/settings.json"), { "aiolint.path": "${workspaceFolder}/trap" });
  writeFileSync(join(folder, "trap"), `#!/bin/sh\n: > "${sprung}"\nexec "${program}" "$@"\n`, { mode: 0o755 });
  await editor.folder(folder);
  await editor.file("prices.py");
  await editor.seen();
  assert(!existsSync(sprung));
  say("an untrusted folder does not choose the program");
  await editor.trust();
  await until("the program of the folder", () => existsSync(sprung));
  await editor.seen();
  say("a trusted one does");
}

/** Two folders, and an environment that is in neither's usual place, with an aiolint and a package in it. */
async function theExtensionHost(editor) {
  rmSync(program);
  const first = project("first", "prices.py");
  writeFileSync(join(first, "unused.py"), "print(1)  # aiolint: ignore[dangling-task]\n");
  copyFileSync(join(first, "prices.py"), join(first, "closed.py"));
  const second = project("second", "shop.py");
  const environment = join(first, "environment");
  const packages = join(environment, "lib/python3.12/site-packages");
  mkdirSync(join(environment, "bin"), { recursive: true });
  mkdirSync(packages, { recursive: true });
  writeFileSync(join(environment, "pyvenv.cfg"), "version = 3.12.0\n");
  symlinkSync(join(PROGRAMS, "aiolint"), join(environment, "bin/aiolint"));
  writeFileSync(join(packages, "prices_of.py"), "async def fetch(shop):\n    return 42\n");
  const workspace = join(HOME, "both.code-workspace");
  set(workspace, { folders: [{ path: first }, { path: second }] });
  await editor.folder(workspace, "workspace");
  await editor.trust();
  const prints = (line) => /^(ok|FAIL)/.test(line) && console.log(line);
  const status = await editor.host(workspace, join(here, "python-extension"), join(here, "host.js"), prints);
  assert.equal(status, 0, "the tests in the extension host have failed");
  say("the extension host is content");
}

async function theBundledProgram(editor) {
  const folder = project("bundled", "prices.py");
  await editor.folder(folder);
  await editor.file("prices.py");
  await editor.seen();
  assert((await editor.status()).includes("(bundled)"));
  say("the package for this platform brings the program");
}

const { origin, code } = await start();
let editor;
try {
  editor = await Editor.open(CHROMIUM, origin);
  const shop = project("shop", "prices.py", "app.py", "lib.py");
  for (const copy of ["await.py", "gather.py", "wait.py"]) copyFileSync(join(shop, "prices.py"), join(shop, copy));
  await editor.folder(shop);
  await editor.trust();
  say("VS Code is up");
  await theMissingProgram(editor);
  await theFinding(editor);
  await theTyping(editor);
  await theRepairs(editor, shop);
  await theOtherFile(editor);
  await theKilledServer(editor);
  await theSettings(editor, shop);
  await theStranger(editor);
  await theExtensionHost(editor);
  execFileSync("code", ["--install-extension", process.env.PLATFORM_PACKAGE, "--force"]);
  await theBundledProgram(editor);
} catch (error) {
  const picture = join(process.env.INSTALLED, "failure.png");
  await editor?.page.screenshot({ path: picture });
  console.error(`the screen is in ${picture}`);
  console.error(`FAIL: ${error.stack ?? error}`);
  process.exitCode = 1;
  for (const log of globSync(join(HOME, "data/logs/**/*aiolint*.log"))) console.error(`${log}:\n${readFileSync(log, "utf8")}`);
} finally {
  await editor?.close();
  const ended = new Promise((ends) => code.on("close", ends));
  code.kill();
  await ended;
}

// A user of VS Code: its page in Chromium, by what is on the screen and by the keys that a user presses.

import { createRequire } from "node:module";
import { join } from "node:path";

// What ./install installs is not beside this file.
const { chromium } = createRequire(join(process.env.INSTALLED, "package.json"))("playwright-core");

/** Reached only by a failing test. */
export const PATIENCE = Number(process.env.PATIENCE ?? 60_000);

export class Editor {
  static async open(chromiumPath, origin) {
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"],
    });
    const context = await browser.newContext({ viewport: { width: 1100, height: 700 } });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    return new Editor(browser, page, origin);
  }

  constructor(browser, page, origin) {
    Object.assign(this, { browser, page, origin });
  }

  /** Opens a folder, or a workspace of several; it is not trusted before `trust` says so. */
  async folder(path, kind = "folder") {
    await this.page.goto(`${this.origin}/?${kind}=${encodeURIComponent(path)}`, { waitUntil: "domcontentloaded" });
    await this.page.locator(".explorer-folders-view").waitFor();
  }

  /** Runs tests in the extension host, with another extension in it; what they end with. `prints` gets what they print. */
  async host(workspace, extension, tests, prints) {
    const page = await this.page.context().newPage();
    let ends;
    const status = new Promise((resolve) => (ends = resolve));
    await page.exposeFunction("codeAutomationLog", (_, args) => prints(args.map(String).join(" ")));
    await page.exposeFunction("codeAutomationExit", ends);
    const uri = (path) => ({ scheme: "vscode-remote", authority: new URL(this.origin).host, path });
    // A built VS Code takes these options from its page's settings only: they are put there before it reads them.
    await page.addInitScript((options) => {
      new MutationObserver((_, observer) => {
        const meta = document.getElementById("vscode-workbench-web-configuration");
        if (!meta) return;
        observer.disconnect();
        const settings = JSON.parse(meta.getAttribute("data-settings"));
        settings.developmentOptions = { ...settings.developmentOptions, ...options };
        meta.setAttribute("data-settings", JSON.stringify(settings));
      }).observe(document, { childList: true, subtree: true });
    }, { extensions: [uri(extension)], extensionTestsPath: uri(tests) });
    await page.goto(`${this.origin}/?workspace=${encodeURIComponent(workspace)}`, { waitUntil: "domcontentloaded" });
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error("the tests in the extension host do not end")), 3 * PATIENCE).unref());
    return Promise.race([status, late]).finally(() => page.close());
  }

  async trust() {
    await this.page.getByRole("button", { name: "Restricted Mode" }).click();
    await this.page.locator(".workspace-trust-editor").getByRole("button", { name: "Trust", exact: true }).click();
    await this.page.getByText(/^You trust this (folder|workspace)/).first().waitFor();
    const modal = this.page.locator(".monaco-modal-editor-block");
    await modal.locator("[aria-label^='Close']").last().click();
    await modal.waitFor({ state: "hidden" });
  }

  async file(name) {
    await this.page.locator(`.explorer-folders-view [aria-label^="${name}"]`).first().dblclick();
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    await this.page.locator(".editor-instance .view-line").first().waitFor();
  }

  /** Goes to a file that is open. */
  async tab(name) {
    await this.page.locator(`.tab[data-resource-name="${name}"]`).click();
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
  }

  /** Runs a command of the palette. */
  async command(title) {
    await this.press("F1");
    await this.page.locator(".quick-input-widget input").first().fill(`>${title}`);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
  }

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async type(text) {
    await this.page.keyboard.type(text);
  }

  /** Puts the cursor there; both count from 1. */
  async go(line, column) {
    await this.press("Control+g");
    await this.page.locator(".quick-input-widget input").first().fill(`:${line}:${column}`);
    await this.press("Enter");
    await this.page.locator(".quick-input-widget").first().waitFor({ state: "hidden" });
    await this.page.locator(`.editor-instance .monaco-editor.focused`).waitFor();
  }

  squiggle(level) {
    return this.page.locator(`.editor-instance .squiggly-${level}`);
  }

  async seen(level = "error") {
    await this.squiggle(level).first().waitFor({ state: "attached" });
  }

  async gone(level = "error") {
    await this.page.waitForFunction((level) => !document.querySelector(`.editor-instance .squiggly-${level}`), level);
  }

  /** Rests the mouse on it. The text lies above a squiggle. */
  async point(level = "error") {
    const { x, y, width, height } = await this.squiggle(level).first().boundingBox();
    await this.page.mouse.move(x + width / 2, y + height / 2);
  }

  notification(text) {
    return this.page.locator(".notification-toast", { hasText: text });
  }

  /** The row of a file in the panel of problems; it has one only with a problem. */
  problems(file) {
    return this.page.locator(`.markers-panel [aria-label*="problems in file ${file}"]`);
  }

  /** The menu of repairs at the cursor: its items. */
  async repairs() {
    await this.press("Control+.");
    const items = this.page.locator(".action-widget .monaco-list-row.action");
    await items.first().waitFor();
    return items;
  }

  /** What the status of the language says. */
  async status() {
    await this.page.locator("[id='status.languageStatus']").click();
    const text = await this.page.locator(".hover-language-status").allInnerTexts();
    await this.press("Escape");
    return text.join("\n");
  }

  /** From here on the page notes how long it takes from a key to the first frame with a new error in it. */
  async watch() {
    await this.page.evaluate(() => {
      const error = () => document.querySelector(".editor-instance .squiggly-error") !== null;
      let pressed = 0;
      let shown = error();
      window.latencies = [];
      addEventListener("keydown", () => (pressed = performance.now()), true);
      new MutationObserver(() => {
        const shows = error();
        if (shows && !shown) requestAnimationFrame(() => window.latencies.push(performance.now() - pressed));
        shown = shows;
      }).observe(document.querySelector(".editor-instance"), { attributes: true, childList: true, subtree: true });
    });
  }

  async latencies() {
    return (await this.page.evaluate(() => window.latencies)).sort((a, b) => a - b);
  }

  /** Takes a picture of the window right of `x` and as high as this, if pictures are wanted. */
  async picture(name, x, height) {
    const { PICTURES } = process.env;
    const { width } = this.page.viewportSize();
    if (PICTURES) await this.page.screenshot({ path: join(PICTURES, name), clip: { x, y: 36, width: width - x, height } });
  }

  async close() {
    await this.browser.close();
  }
}

/** Asks again and again until the answer is not nothing. */
export async function until(what, question) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

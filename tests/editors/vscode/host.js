// Runs inside the extension host, where a test has what an extension has. There is no program on PATH, and none is bundled.

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const { join } = require("node:path");
const vscode = require("vscode");

const PATIENCE = 60_000;
/** Settings that are no keys of a configuration file. */
const EDITORS_OWN = ["aiolint.diagnosticMode", "aiolint.path", "aiolint.trace.server"];

async function until(what, question) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await question();
    if (answer) return console.log(`ok ${what}`), answer;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

exports.run = () =>
  tests().catch((error) => {
    console.log(`FAIL: ${error.stack ?? error}`);
    throw error; // Ends the host with 1.
  });

async function tests() {
  const [first, second] = vscode.workspace.workspaceFolders.map((folder) => folder.uri.fsPath);
  const open = async (path) => {
    const document = await vscode.workspace.openTextDocument(path);
    return vscode.window.showTextDocument(document, { preview: false });
  };
  const found = ({ document }) => vscode.languages.getDiagnostics(document.uri).filter((of) => of.source === "aiolint");
  const codes = (editor) => found(editor).map((of) => of.code.value).join();
  const set = (key, value) => vscode.workspace.getConfiguration("aiolint").update(key, value, vscode.ConfigurationTarget.Workspace);

  const prices = await open(join(first, "prices.py"));
  const python = vscode.extensions.getExtension("ms-python.python");
  await until("the Python extension is asked", () => python.isActive);
  assert.equal(codes(prices), "");

  // An environment with an aiolint, and with a package that the program imports.
  const environment = join(first, "environment");
  python.exports.select(environment);
  await until("the program of the selected environment is started", () => codes(prices) === "result-before-done");
  const shop = await open(join(second, "shop.py"));
  await until("its packages are known, in another folder too", () => codes(shop) === "coroutine-never-awaited");

  const [finding] = found(prices);
  assert.equal(finding.code.target.toString(), "aiolint-rule:/result-before-done.md");
  const page = await vscode.workspace.openTextDocument(finding.code.target);
  assert.match(page.getText(), /^# result-before-done\n/);
  assert.doesNotMatch(page.getText(), /\]\(\.\./);
  console.log("ok the page of a rule is a document");
  const [hover] = await vscode.commands.executeCommand("vscode.executeHoverProvider", prices.document.uri, finding.range.start);
  assert.match(hover.contents[0].value, /\]\(command:aiolint\.showRule\?%5B%22result-before-done%22%5D\)/);
  console.log("ok so a hover leads there");

  for (const [key, value] of [["exclude", ["prices.py"]], ["select", ["dangling-task"]], ["severity", { "result-before-done": "off" }]]) {
    await set(key, value);
    await until(`aiolint.${key} holds at once`, () => codes(prices) === "");
    await set(key, undefined);
    await until("and its end, too", () => codes(prices) === "result-before-done");
  }

  const closed = vscode.Uri.file(join(first, "closed.py"));
  const ofClosed = () => vscode.languages.getDiagnostics(closed);
  assert.equal(ofClosed().length, 0);
  await set("diagnosticMode", "workspace");
  await until("findings of a file that is not open", () => ofClosed().length === 1);
  assert.equal(ofClosed()[0].code.target.toString(), "aiolint-rule:/result-before-done.md");
  await set("diagnosticMode", undefined);
  await until("and none where only open files have some", () => ofClosed().length === 0);

  // In a configuration file that is not saved.
  const file = await open(join(first, "pyproject.toml"));
  await file.edit((edit) => edit.insert(new vscode.Position(0, 0), '[tool.aiolint]\nignore = ["result-before-don"]\n'));
  await until("what is wrong in a configuration file is told in it", () => found(file).some((of) => /result-before-done/.test(of.message)));
  await vscode.commands.executeCommand("undo");
  await until("and goes again", () => found(file).length === 0);

  const unused = await open(join(first, "unused.py"));
  await until("a finding with a safe fix", () => codes(unused) === "unused-ignore-comment");
  await vscode.commands.executeCommand("aiolint.fixAll");
  await until("fixed with all others of the file", () => unused.document.getText() === "print(1)\n" && codes(unused) === "");

  await vscode.commands.executeCommand("aiolint.restart");
  await until("the findings are back after a restart", () => codes(prices) === "result-before-done");

  const known = await vscode.commands.getCommands(true);
  const { contributes } = vscode.extensions.getExtension("aiolint.aiolint").packageJSON;
  for (const { command } of contributes.commands) assert(known.includes(command), command);
  console.log("ok every command is there");

  // The settings name the rules, and the keys of the configuration file, that the program has.
  const program = join(environment, "bin/aiolint");
  const rules = execFileSync(program, ["rules"], { encoding: "utf8" }).trim().split("\n").map((line) => line.split(" ")[0]);
  const { properties } = contributes.configuration;
  for (const named of [
    properties["aiolint.select"].items.enum,
    properties["aiolint.ignore"].items.enum,
    properties["aiolint.perFileIgnores"].additionalProperties.items.enum,
    properties["aiolint.severity"].propertyNames.enum,
  ]) assert.deepEqual(named, rules);
  const config = execFileSync(program, ["config", "--output-format", "json", first], { encoding: "utf8" });
  const keys = Object.keys(JSON.parse(config).settings);
  const spelt = keys.map((key) => `aiolint.${key.replace(/-./g, ([, letter]) => letter.toUpperCase())}`);
  assert.deepEqual(Object.keys(properties).sort(), [...spelt, ...EDITORS_OWN].sort());
  console.log("ok every rule and every key has its setting");
}

// Starts `aiolint server` and connects it to VS Code. Everything else is the server's work.

import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";

// The client reads `aiolint.trace.server` by this name.
const NAME = "aiolint";

let client: LanguageClient | undefined;
// Starts and stops follow one another: a setting may change while the server is still starting.
let turn: Promise<void> = Promise.resolve();

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel(NAME, { log: true });
  const restart = () => inTurn(async () => {
    await stop();
    await start(log);
  });
  context.subscriptions.push(
    log,
    vscode.commands.registerCommand("aiolint.restart", restart),
    vscode.commands.registerCommand("aiolint.showLog", () => log.show()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("aiolint.path")) void restart();
    }),
    // A trusted folder may name another program.
    vscode.workspace.onDidGrantWorkspaceTrust(() => void restart()),
  );
  await inTurn(() => start(log));
}

export function deactivate(): Promise<void> {
  return inTurn(stop);
}

function inTurn(work: () => Promise<void>): Promise<void> {
  turn = turn.then(work, work);
  return turn;
}

async function start(log: vscode.LogOutputChannel): Promise<void> {
  const path = vscode.workspace.getConfiguration(NAME).get<string>("path") || NAME;
  client = new LanguageClient(
    NAME,
    NAME,
    { command: path, args: ["server"] },
    {
      documentSelector: [
        { language: "python", scheme: "file" },
        { language: "python", scheme: "untitled" },
      ],
      outputChannel: log,
    },
  );
  try {
    await client.start();
  } catch (error) {
    log.error(String(error));
    // Not awaited: the message stands until the user answers, and a restart must not wait for that.
    void complain(path);
  }
}

async function complain(path: string): Promise<void> {
  const settings = "Open Settings";
  const answer = await vscode.window.showErrorMessage(
    `aiolint: \`${path} server\` does not start. Install aiolint, or name its program in the setting aiolint.path.`,
    settings,
  );
  if (answer === settings) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "aiolint.path");
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  // Rejects where the client never started: then there is nothing to stop.
  await running?.stop().catch(() => undefined);
}

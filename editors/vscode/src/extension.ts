// Starts `aiolint server`, connects it to VS Code, and shows how it is. All else is the server's work.

import * as vscode from "vscode";
import { DidChangeConfigurationNotification, LanguageClient, State } from "vscode-languageclient/node";
import { interpreter, onDidSelectInterpreter } from "./python";
import { linkHover, pageAt, RulePages } from "./rules";
import { findServer, type Server } from "./server";
import { NAME, settings } from "./settings";

const SELECTOR = [
  { language: "python", scheme: "file" },
  { language: "python", scheme: "untitled" },
  // What is wrong in these is told in them, and what is typed there holds before it is saved.
  { scheme: "file", pattern: "**/{aiolint,pyproject}.toml" },
];

let server: Server | undefined;
let client: LanguageClient | undefined;
// Starts and stops follow one another: a setting may change while the server is still starting.
let turn: Promise<void> = Promise.resolve();

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel(NAME, { log: true });
  const status = vscode.languages.createLanguageStatusItem(NAME, { language: "python" });
  status.name = NAME;
  const pages = new RulePages(() => server);
  const restart = () => inTurn(async () => {
    await stop();
    await start(context, log, status);
  });

  context.subscriptions.push(
    log,
    status,
    vscode.workspace.registerTextDocumentContentProvider(RulePages.SCHEME, pages),
    vscode.commands.registerCommand("aiolint.restart", restart),
    vscode.commands.registerCommand("aiolint.showLog", () => log.show()),
    vscode.commands.registerCommand("aiolint.showRule", (rule?: string) => pages.show(rule)),
    vscode.commands.registerCommand("aiolint.fixAll", () =>
      vscode.commands.executeCommand("editor.action.sourceAction", { kind: "source.fixAll.aiolint", apply: "first" }),
    ),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("aiolint.path")) void restart();
    }),
    // The server is told of its folders when it starts.
    vscode.workspace.onDidChangeWorkspaceFolders(() => void restart()),
    // A trusted folder may name another program.
    vscode.workspace.onDidGrantWorkspaceTrust(() => void restart()),
  );
  // Not awaited: that extension may take its time.
  void onDidSelectInterpreter(context, () => inTurn(async () => {
    const other = await findServer(context.extensionPath, log).catch(() => undefined);
    if (other?.command === server?.command) return tellSettings();
    await stop();
    await start(context, log, status);
  }));
  await inTurn(() => start(context, log, status));
}

export function deactivate(): Promise<void> {
  return inTurn(stop);
}

function inTurn(work: () => Promise<void>): Promise<void> {
  turn = turn.then(work, work);
  return turn;
}

async function start(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  status: vscode.LanguageStatusItem,
): Promise<void> {
  try {
    server = await findServer(context.extensionPath, log);
  } catch (error) {
    const message = (error as Error).message;
    log.error(message);
    show(status, "no server", vscode.LanguageStatusSeverity.Error);
    // Not awaited: the message stands until the user answers, and a restart must not wait for that.
    void complain(message);
    return;
  }
  const { command, origin, version } = server;
  log.info(`${command} (${origin}), version ${version}`);
  const started = new LanguageClient(
    NAME,
    NAME,
    { command, args: ["server"] },
    {
      documentSelector: SELECTOR,
      outputChannel: log,
      // Until it asks for them: the environment comes then, for nothing should wait for the Python extension.
      initializationOptions: settings(vscode.workspace.getConfiguration(NAME), undefined),
      // Where the server says that a rule's page is on the network, VS Code opens ours.
      uriConverters: { code2Protocol: (uri) => uri.toString(), protocol2Code: (uri) => pageAt(uri) ?? vscode.Uri.parse(uri) },
      middleware: {
        workspace: {
          configuration: async (params, token, next) => {
            const sections = await next(params, token);
            const environment = (await interpreter())?.environment;
            return Array.isArray(sections) ? sections.map((section) => settings(section, environment)) : sections;
          },
        },
        provideDiagnostics: async (document, previous, token, next) => {
          const report = await next(document, previous, token);
          // The client cancels a request when the next key is pressed, and would take it for an empty report: the findings would
          // flicker. Of this it knows to ask again.
          if (token.isCancellationRequested) throw new vscode.CancellationError();
          return report;
        },
        provideHover: async (document, position, token, next) => {
          const hover = await next(document, position, token);
          if (hover) linkHover(hover);
          return hover;
        },
      },
    },
  );
  started.onDidChangeState(({ newState }) => {
    if (started !== client) return;
    switch (newState) {
      case State.Starting:
        return show(status, `${version}, starting`, vscode.LanguageStatusSeverity.Information, true);
      case State.Running:
        return show(status, version, vscode.LanguageStatusSeverity.Information);
      case State.Stopped:
        return show(status, `${version}, stopped`, vscode.LanguageStatusSeverity.Error);
    }
  });
  client = started;
  try {
    await started.start();
  } catch (error) {
    // The client has told the user.
    log.error(String(error));
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  server = undefined;
  // Rejects where the client never started: then there is nothing to stop.
  await running?.dispose().catch(() => undefined);
}

/** Has the server ask for its settings again. */
async function tellSettings(): Promise<void> {
  await client?.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
}

function show(
  status: vscode.LanguageStatusItem,
  state: string,
  severity: vscode.LanguageStatusSeverity,
  busy = false,
): void {
  status.text = `aiolint ${state}`;
  status.detail = server && `${server.command} (${server.origin})`;
  status.severity = severity;
  status.busy = busy;
  status.command =
    severity === vscode.LanguageStatusSeverity.Error
      ? { title: "Restart", command: "aiolint.restart" }
      : { title: "Show Log", command: "aiolint.showLog" };
}

async function complain(message: string): Promise<void> {
  const settings = "Open Settings";
  const help = "Get Started";
  const answer = await vscode.window.showErrorMessage(`aiolint: ${message}`, settings, help);
  if (answer === settings) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "aiolint.path");
  } else if (answer === help) {
    await vscode.commands.executeCommand("workbench.action.openWalkthrough", "aiolint.aiolint#start");
  }
}

// The pages of the rules, as the running version of aiolint has them; no network needed.

import * as vscode from "vscode";
import { run, type Server } from "./server";

const REPOSITORY = "https://github.com/aiolint/aiolint/blob/main/";
const RULES = `${REPOSITORY}server/rules/`;
const COMMAND = "aiolint.showRule";

export class RulePages implements vscode.TextDocumentContentProvider {
  static readonly SCHEME = "aiolint-rule";

  constructor(private readonly server: () => Server | undefined) {}

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const page = await this.aiolint("explain", uri.path.replace(/^\/|\.md$/g, ""));
    // Links between rules lead to such pages again; those to other documents have nothing here to lead to.
    return page.replaceAll("](../../", `](${REPOSITORY}`);
  }

  /** Shows the page of this rule, or of one that the user chooses. */
  async show(rule: string | undefined): Promise<void> {
    rule ??= await this.choose();
    if (rule) {
      await vscode.commands.executeCommand("vscode.open", pageOf(rule));
    }
  }

  private async choose(): Promise<string | undefined> {
    // Each line is a name, a level and what the rule finds.
    const lines = (await this.aiolint("rules")).trim().split("\n");
    const rules = lines.map((line) => {
      const [label = line, description, detail] = line.split(/\s{2,}/);
      return { label, description, detail };
    });
    const chosen = await vscode.window.showQuickPick(rules, { placeHolder: "A rule of aiolint", matchOnDetail: true });
    return chosen?.label;
  }

  private async aiolint(...args: string[]): Promise<string> {
    const command = this.server()?.command;
    if (!command) throw new Error("There is no aiolint program to ask.");
    return (await run(command, args)).stdout;
  }
}

// Opened as VS Code shows Markdown, not as its source: package.json associates the scheme with that editor.
function pageOf(rule: string): vscode.Uri {
  return vscode.Uri.from({ scheme: RulePages.SCHEME, path: `/${rule}.md` });
}

/** Our page for the one on the network, if that is a rule's. */
export function pageAt(url: string): vscode.Uri | undefined {
  const rule = url.startsWith(RULES) ? /^([\w-]+)\.md$/.exec(url.slice(RULES.length))?.[1] : undefined;
  return rule === undefined ? undefined : pageOf(rule);
}

/** Has the links in a hover lead to our pages, too; there only commands lead to what is not on the network. */
export function linkHover(hover: vscode.Hover): void {
  for (const content of hover.contents) {
    if (!(content instanceof vscode.MarkdownString)) continue;
    content.value = content.value.replace(/\]\(([^)]*)\/([\w-]+)\.md\)/g, (link, folder: string, rule: string) =>
      `${folder}/` === RULES ? `](command:${COMMAND}?${encodeURIComponent(JSON.stringify([rule]))})` : link,
    );
    content.isTrusted = { enabledCommands: [COMMAND] };
  }
}

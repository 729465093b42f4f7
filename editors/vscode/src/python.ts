// The interpreter that is selected in the Python extension, where there is one.

import * as vscode from "vscode";
import type { PythonExtension } from "@vscode/python-extension";

export interface Interpreter {
  /** Its path. */
  readonly program: string;
  /** The folder of its virtual environment, if it is in one. */
  readonly environment: string | undefined;
}

async function environments(): Promise<PythonExtension["environments"] | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  try {
    return (await extension?.activate())?.environments;
  } catch {
    // Its own concern, and it has told the user.
    return undefined;
  }
}

/** The selected interpreter; that of the first folder, where there are several. */
export async function interpreter(): Promise<Interpreter | undefined> {
  const known = await environments();
  const selected = known?.getActiveEnvironmentPath(vscode.workspace.workspaceFolders?.[0]?.uri);
  const resolved = selected && (await known?.resolveEnvironment(selected));
  const program = resolved?.executable.uri?.fsPath;
  return program ? { program, environment: resolved.environment?.folderUri.fsPath } : undefined;
}

export async function onDidSelectInterpreter(context: vscode.ExtensionContext, listener: () => void): Promise<void> {
  const known = await environments();
  if (known) context.subscriptions.push(known.onDidChangeActiveEnvironmentPath(listener));
}

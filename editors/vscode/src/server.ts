// Finds the program: the one that the setting names; else the one that came with the extension, that of the selected Python
// environment, the one on PATH, whichever of them runs first.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { interpreter } from "./python";
import { NAME } from "./settings";

const FILE = process.platform === "win32" ? "aiolint.exe" : "aiolint";

export const run = promisify(execFile);

export interface Server {
  readonly command: string;
  readonly origin: "aiolint.path" | "bundled" | "Python environment" | "PATH";
  readonly version: string;
}

/** The program to start. Throws what the user should hear if there is none. */
export async function findServer(extensionPath: string, log: vscode.LogOutputChannel): Promise<Server> {
  const chosen = vscode.workspace.getConfiguration(NAME).get<string>("path");
  if (chosen) {
    const command = expanded(chosen);
    try {
      return { command, origin: "aiolint.path", version: await version(command) };
    } catch (error) {
      throw new Error(`the setting aiolint.path names ${command}, which does not start: ${(error as Error).message}`);
    }
  }
  for (const [origin, command] of await candidates(extensionPath)) {
    if (!existsSync(command)) continue;
    try {
      return { command, origin, version: await version(command) };
    } catch (error) {
      // Such as one that is built for another system.
      log.warn(`${command} (${origin}) does not start: ${(error as Error).message}`);
    }
  }
  throw new Error(
    "there is no aiolint program. Install it in the selected Python environment or on PATH, or name it in the setting aiolint.path; " +
      "then run the command “aiolint: Restart Server”.",
  );
}

async function candidates(extensionPath: string): Promise<[Server["origin"], string][]> {
  const found: [Server["origin"], string][] = [["bundled", join(extensionPath, "bin", FILE)]];
  // An environment in an untrusted folder may hold any program.
  const python = vscode.workspace.isTrusted ? (await interpreter())?.program : undefined;
  if (python) {
    const folder = dirname(python);
    const folders = process.platform === "win32" ? [folder, join(folder, "Scripts")] : [folder];
    found.push(...folders.map((folder): [Server["origin"], string] => ["Python environment", join(folder, FILE)]));
  }
  // Found here, not by the system: that may look into the open folder first.
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  found.push(...folders.map((folder): [Server["origin"], string] => ["PATH", join(folder, FILE)]));
  return found;
}

function expanded(path: string): string {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? homedir();
  return resolve(folder, path.replace("${workspaceFolder}", folder).replace(/^~(?=[/\\])/, homedir()));
}

async function version(command: string): Promise<string> {
  const { stdout } = await run(command, ["--version"], { timeout: 10_000 });
  const version = /^aiolint (\S+)/.exec(stdout)?.[1];
  if (!version) throw new Error(`it calls itself ${JSON.stringify(stdout.trim().slice(0, 80))}`);
  return version;
}

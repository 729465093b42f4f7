// Packages the extension.
//   npm run package                      for every platform: it uses an aiolint program that is installed
//   npm run package -- TARGET PROGRAM    for one platform, with this program inside; TARGET as vsce names it: linux-x64, darwin-arm64 …

import { chmodSync, cpSync, mkdirSync, rmSync } from "node:fs";
import { createVSIX } from "@vscode/vsce";

const REPOSITORY = "https://github.com/aiolint/aiolint";
const FOLDER = "main/editors/vscode";

const [target, program] = process.argv.slice(2);
if (target && !program) throw new Error(`which program for ${target}?`);

rmSync("bin", { recursive: true, force: true });
if (target) {
  const bundled = target.startsWith("win32-") ? "bin/aiolint.exe" : "bin/aiolint";
  mkdirSync("bin");
  cpSync(program, bundled);
  chmodSync(bundled, 0o755);
}
try {
  await createVSIX({
    target,
    dependencies: false,
    baseContentUrl: `${REPOSITORY}/blob/${FOLDER}`,
    baseImagesUrl: `${REPOSITORY}/raw/${FOLDER}`,
  });
} finally {
  // So that no package for another platform has it.
  rmSync("bin", { recursive: true, force: true });
}

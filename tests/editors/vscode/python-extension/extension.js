// What aiolint asks of the Python extension, which no registry at hand has: the selected interpreter, and news of another one.
// `select` is the user's choice.

const vscode = require("vscode");

let environment;
const changed = new vscode.EventEmitter();

exports.activate = () => ({
  environments: {
    getActiveEnvironmentPath: () => ({ id: environment, path: environment }),
    resolveEnvironment: async ({ path }) =>
      path && {
        executable: { uri: vscode.Uri.file(`${path}/bin/python`) },
        environment: { folderUri: vscode.Uri.file(path) },
      },
    onDidChangeActiveEnvironmentPath: changed.event,
  },
  select(folder) {
    environment = folder;
    changed.fire({ path: folder });
  },
});

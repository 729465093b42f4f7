// The settings of VS Code as the server takes them.

/** The section of the settings; the client also reads `aiolint.trace.server` by this name. */
export const NAME = "aiolint";

/** What only editors can set is spelt alike in all. */
const EDITORS_OWN = ["diagnosticMode"];

/**
 * The keys of a configuration file have hyphens where VS Code has capitals. `environment` is what the Python extension has
 * selected: it holds where the user has not set another one.
 */
export function settings(section: unknown, environment: string | undefined): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(section ?? {})) {
    const name = EDITORS_OWN.includes(key) ? key : key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
    settings[name] = value;
  }
  settings.environment ??= environment;
  return settings;
}

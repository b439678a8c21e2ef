import { InvalidParameter } from "../spec/index.js";
import type { Config } from "./read.js";

/**
 * Refuses what is set twice, as dockerd does: nobody could say which of the two was meant.
 *
 * @param flags by key of the file, what the command line says; undefined where it says nothing
 * @throws InvalidParameter in dockerd's words
 */
export function assertNoConflicts({ path, given }: Config, flags: Readonly<Record<string, unknown>>): void {
  const twice = Object.keys(flags).filter((key) => flags[key] !== undefined && Object.hasOwn(given, key));
  if (twice.length === 0) return;
  const told = twice.map((key) => `${key}: (from flag: ${shown(flags[key])}, from file: ${shown(given[key])})`);
  throw new InvalidParameter(
    `config file ${path}: the following directives are specified both as a flag and in the configuration file: ` +
      told.join(", "),
  );
}

/** As Go prints it. */
function shown(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(shown).join(" ")}]` : String(value);
}

import { goJSON } from "../spec/index.js";
import { WrongUsage } from "./failure.js";

/**
 * `--filter KEY=VALUE` options in the form the API takes.
 *
 * @throws WrongUsage: one without `=`
 */
export function filtersText(given: readonly string[] = []): string | undefined {
  const filters: Record<string, Record<string, boolean>> = {};
  for (const filter of given) {
    const at = filter.indexOf("=");
    if (at < 0) throw new WrongUsage(`--filter ${filter}: want KEY=VALUE`);
    const key = filter.slice(0, at).trim().toLowerCase();
    filters[key] = { ...filters[key], [filter.slice(at + 1).trim()]: true };
  }
  return given.length === 0 ? undefined : goJSON(filters);
}

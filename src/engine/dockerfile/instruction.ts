import { InvalidParameter } from "../../spec/index.js";

/** One line of a Dockerfile, taken apart. */
export interface Instruction {
  /** Upper case: `CMD`. */
  readonly keyword: string;
  /** `--interval=5s` as `interval` to `5s`. */
  readonly flags: ReadonlyMap<string, string>;
  /** What is behind keyword and flags, trimmed. */
  readonly rest: string;
  /** The line as it stood. */
  readonly original: string;
}

/** Takes a line apart. Flags are the words that begin with `--` right behind the keyword. */
export function parseInstruction(line: string): Instruction {
  const [, keyword = "", after = ""] = /^(\S*)\s*([\s\S]*)$/.exec(line) ?? [];
  const flags = new Map<string, string>();
  let rest = after;
  for (;;) {
    const match = /^--([^\s=]+)(?:=(\S*))?(?:\s+|$)/.exec(rest);
    if (!match) break;
    flags.set(match[1] ?? "", match[2] ?? "");
    rest = rest.slice(match[0].length);
  }
  return { keyword: keyword.toUpperCase(), flags, rest: rest.trim(), original: line };
}

/** The flags of an instruction that knows these. @throws InvalidParameter: another one */
export function checkFlags({ flags }: Instruction, known: readonly string[] = []): void {
  for (const flag of flags.keys()) if (!known.includes(flag)) throw new InvalidParameter(`Unknown flag: ${flag}`);
}

/**
 * The words of a JSON list; undefined when it is none, and so in shell form.
 *
 * @throws InvalidParameter: a list of other things than texts
 */
export function jsonForm(rest: string): string[] | undefined {
  if (!rest.startsWith("[")) return undefined;
  const list = parsedOrUndefined(rest);
  if (!Array.isArray(list)) return undefined;
  if (list.every((item) => typeof item === "string")) return list;
  throw new InvalidParameter("when using JSON array syntax, arrays must be comprised of strings only");
}

function parsedOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

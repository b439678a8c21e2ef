import { parseArgs } from "node:util";

export interface Options {
  /** Rounds that count; one more warms up. */
  readonly rounds: number;
  /** Names of works; none means all. */
  readonly works: readonly string[];
  /** Names of those who take part; undefined means all who are installed. */
  readonly contenders: readonly string[] | undefined;
}

/** @throws for what it does not know */
export function optionsOf(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rounds: { type: "string", default: "3" }, contenders: { type: "string" } },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: how many are wanted?`);
  return { rounds, works: positionals, contenders: values.contenders?.split(",") };
}

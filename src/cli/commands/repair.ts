import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Command } from "commander";
import type { Left, Planned, Repaired, Source, Told } from "../../doctor/index.js";
import { credentialsFor } from "../../registry/credentials/index.js";
import { goJSON, isErrno, NotFound } from "../../spec/index.js";
import { SomeFailed, WrongUsage } from "../failure.js";
import { type Format, formatOption, print } from "../print.js";
import { leftLine, namesLines, toldLine } from "../repair/told-lines.js";
import { type Alone, alone } from "../session.js";
import { collect, type Settings } from "../settings.js";
import { shown } from "../shown.js";

interface Options {
  readonly dryRun?: boolean;
  readonly deep?: boolean;
  readonly from?: readonly string[];
  /** false: `--no-fetch`. */
  readonly fetch: boolean;
  readonly names?: boolean;
  readonly list?: boolean;
  readonly purge?: boolean;
  readonly putBack?: string;
  readonly format?: Format;
}

export function repairCommand(): Command {
  return new Command("repair")
    .description(
      "mend a data root at rest: what is derived anew, what is fetched again, what nobody needs is set aside",
    )
    .option("--dry-run", "only say what would be done first, and change nothing")
    .option("--deep", "read every byte of every layer, and mend what is not as its digest says")
    .option("--from <path>", "an image archive, or another data root, that has what is lost; may be repeated", collect)
    .option("--names", "give images without a name back what containers, --from or registries say they are called")
    .option("--no-fetch", "ask no registry")
    .option("--list", "what repairs have removed and kept: when, why, from where and how much")
    .option("--purge", "delete what repairs have removed and kept")
    .option("--put-back <path>", "move what a repair has removed back to its place")
    .addOption(formatOption())
    .action(alone<Options>(run));
}

async function run(given: Alone<Options>): Promise<void> {
  const { settings, options } = given;
  const { list, purge, putBack, dryRun } = options;
  if ([list, purge, putBack, dryRun].filter(Boolean).length > 1) {
    throw new WrongUsage("repair takes only one of --dry-run, --list, --purge and --put-back");
  }
  const root = await realRoot(settings.root);
  if (list) {
    const { printKept } = await import("../repair/list-kept.js");
    return await printKept(root, options.format, given.interrupt.stop);
  }
  if (dryRun) return await plan(root, given);
  const { Ownership } = await import("../../engine/index.js");
  await using _owner = await Ownership.take(root);
  if (purge) return await deleted(root);
  if (putBack === undefined) return await mend(root, given);
  const doctor = await import("../../doctor/index.js");
  await doctor.putBack(root, putBack);
  await print(`${putBack} is in its place again.`);
}

async function realRoot(root: string): Promise<string> {
  return await realpath(root).catch((error) => {
    throw isErrno(error, "ENOENT") ? new NotFound(`there is no data root ${root}`, { cause: error }) : error;
  });
}

async function deleted(root: string): Promise<void> {
  const { purgeQuarantine } = await import("../../doctor/index.js");
  const count = await purgeQuarantine(root);
  await print(`What repairs had removed is deleted: ${count} ${count === 1 ? "thing" : "things"}.`);
}

async function plan(root: string, { settings, options, interrupt }: Alone<Options>): Promise<void> {
  const { dockerdOn, isWrong, ownerOf, planRoot } = await import("../../doctor/index.js");
  const holder = (await ownerOf(root)) ?? (await dockerdOn(root));
  if (holder) process.stderr.write(`layerkit: ${root} is in use: what is found may be of a moment in between\n`);
  const signal = interrupt.stop;
  await using sources = await openSources(root, settings, options, signal);
  const { deep, names: isAsked, format } = options;
  const given = { driver: settings.driver, deep, names: isAsked, sources: sources.all, isLive: holder !== undefined };
  const found: Told[] = [];
  const { left, names } = await shown<Planned, Told>(planRoot(root, { ...given, signal }), async (told) => {
    found.push(told);
    await print(toldLine(told, format));
  });
  await print(...left.filter((each) => isTold(each, isWrong)).map((each) => leftLine(each, root, format)));
  if (names) await print(...namesLines(names, format));
  const wrong = [...found, ...left].filter(({ finding }) => isWrong(finding)).length;
  if (format !== "json" && found.length + wrong === 0) await print(`Nothing is wrong with ${root}.`);
  if (wrong > 0) throw new SomeFailed("there is something to be repaired");
}

async function mend(root: string, { settings, options, interrupt }: Alone<Options>): Promise<void> {
  const { isWrong, repairRoot } = await import("../../doctor/index.js");
  const signal = interrupt.stop;
  await using sources = await openSources(root, settings, options, signal);
  const { deep, names: isAsked, format } = options;
  const given = { driver: settings.driver, deep, names: isAsked, sources: sources.all };
  const repaired = await shown<Repaired, Told>(repairRoot(root, { ...given, signal }), (told) =>
    print(toldLine(told, format)),
  );
  const left = repaired.left.filter(({ finding }) => isWrong(finding));
  if (format !== "json") await print(...repaired.notes.map((note) => `note: ${note}`));
  const told = repaired.left.filter((each) => isTold(each, isWrong));
  await print(...told.map((each) => leftLine(each, root, format)));
  const { done, names, quarantine } = repaired;
  if (names) await print(...namesLines(names, format));
  if (format === "json") {
    await print(goJSON({ Done: done, Left: left.length, ...(quarantine !== undefined && { Quarantine: quarantine }) }));
  } else {
    await print(summary(root, done, left.length));
    if (quarantine !== undefined) await print(keptLine(root, quarantine));
  }
  if (left.length > 0) throw new SomeFailed("something is wrong still");
}

/** What is only strange is told where something can be done about it. */
function isTold({ finding, advice }: Left, isWrong: (finding: Left["finding"]) => boolean): boolean {
  return isWrong(finding) || advice !== undefined;
}

function summary(root: string, done: number, left: number): string {
  if (left > 0) return `${done} steps done; ${left} ${left === 1 ? "thing is" : "things are"} wrong still.`;
  return done === 0 ? `Nothing is wrong with ${root}.` : `${done} steps done; nothing is wrong with ${root} any more.`;
}

function keptLine(root: string, quarantine: string): string {
  const back = "layerkit repair --list shows it, --put-back PATH moves it back, --purge deletes it";
  return `What was removed or replaced is kept in ${relative(root, quarantine)}: ${back}.`;
}

/** In the order in which they are asked: what the user names, then the registries. */
async function openSources(
  root: string,
  { changeable }: Settings,
  { from = [], fetch, dryRun = false }: Options,
  signal: AbortSignal,
): Promise<AsyncDisposable & { readonly all: readonly Source[] }> {
  const doctor = await import("../../doctor/index.js");
  // A compressed archive is unpacked there; a dry run writes nothing into the root.
  const tmp = !dryRun && existsSync(join(root, "tmp")) ? join(root, "tmp") : tmpdir();
  const all = [...(await shown<readonly Source[]>(doctor.openSources(from, root, tmp, signal)))];
  if (fetch) {
    const { registrySource } = await import("../../engine/index.js");
    all.push(registrySource({ settings: changeable, credentials: credentialsFor }));
  }
  const close = async () => {
    for (const source of all) await source[Symbol.asyncDispose]();
  };
  return { all, [Symbol.asyncDispose]: close };
}

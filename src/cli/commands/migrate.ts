import { realpath } from "node:fs/promises";
import { Command } from "commander";
import type { Moved, Plan } from "../../migrate/index.js";
import { goJSON, isErrno, NotFound } from "../../spec/index.js";
import { SomeFailed, WrongUsage } from "../failure.js";
import { size } from "../format/size.js";
import { type Format, formatOption, print } from "../print.js";
import { showProgress } from "../progress.js";
import { alone } from "../session.js";

interface Options {
  readonly to?: string;
  readonly from?: string;
  readonly dryRun?: boolean;
  readonly backup?: string;
  readonly undo?: boolean;
  readonly purge?: boolean;
  readonly format?: Format;
}

export function migrateCommand(): Command {
  return new Command("migrate")
    .description("change the storage driver of a data root at rest, with all its images and containers")
    .option("--to <driver>", "overlay2, overlay or vfs")
    .option("--from <driver>", "where the root has images of several other drivers")
    .option("--dry-run", "only say what would be done, and what is in the way")
    .option("--backup <dir>", "first copy the whole data root there, and compare the copy")
    .option("--undo", "go back to the driver of before, if nothing has changed since")
    .option("--purge", "delete what is kept of the driver of before")
    .addOption(formatOption())
    .action(
      alone<Options>(async ({ settings, options, interrupt }) => {
        const { to, undo, purge, dryRun } = options;
        if ([to, undo, purge].filter(Boolean).length !== 1) {
          throw new WrongUsage("migrate needs one of --to DRIVER, --undo and --purge");
        }
        const root = await realRoot(settings.root);
        const { Ownership } = await import("../../engine/index.js");
        await using _owner = await Ownership.take(root);
        if (to === undefined) await print(await (undo ? undone(root) : purged(root)));
        else if (dryRun) await printPlan(root, to, options);
        else await run(root, to, options, interrupt.stop);
      }),
    );
}

async function realRoot(root: string): Promise<string> {
  return await realpath(root).catch((error) => {
    throw isErrno(error, "ENOENT") ? new NotFound(`there is no data root ${root}`, { cause: error }) : error;
  });
}

async function run(root: string, to: string, { from, backup }: Options, signal: AbortSignal): Promise<void> {
  const { backUp, migrate, relaySteps } = await import("../../migrate/index.js");
  let moved: Moved | undefined;
  const steps = relaySteps(async (tell, stop) => {
    const before = backup === undefined ? undefined : () => backUp(root, backup, tell);
    const options = { to, ...(from && { from }), ...(before && { before }) };
    moved = await migrate(root, { ...options, tell, signal: stop });
  }, signal);
  await showProgress(steps);
  await print(...outcome(to, moved));
}

function outcome(to: string, moved: Moved | undefined): string[] {
  const kept = "What was of the driver of before is kept: layerkit migrate --purge deletes it, --undo goes back.";
  if (moved === undefined) return [`The switch to ${to} is done.`, kept];
  const { layers, containers, bytesCopied } = moved;
  const content = bytesCopied === 0 ? "no file content was copied" : `${size(bytesCopied, 4)} of file content copied`;
  return [`Moved ${layers} layers and ${containers} containers to ${to}: ${content}.`, kept];
}

async function undone(root: string): Promise<string> {
  const { undoMigration } = await import("../../migrate/index.js");
  const { from, to, phase } = await undoMigration(root);
  return phase === "filling" ? `The migration to ${to} is given up.` : `The data root is with ${from} again.`;
}

async function purged(root: string): Promise<string> {
  const { purgeMigration } = await import("../../migrate/index.js");
  const { from } = await purgeMigration(root);
  return `What was of ${from} is deleted.`;
}

async function printPlan(root: string, to: string, { from, format }: Options): Promise<void> {
  const { planMigration } = await import("../../migrate/index.js");
  const plan = await planMigration(root, { to, ...(from && { from }) });
  await print(...(format === "json" ? [goJSON(wire(plan))] : lines(plan)));
  if (plan.obstacles.length > 0) throw new SomeFailed("something is in the way");
}

function wire(plan: Plan): object {
  return Object.fromEntries(Object.entries(plan).map(([key, value]) => [key[0]!.toUpperCase() + key.slice(1), value]));
}

function lines(plan: Plan): string[] {
  const { from, to, images, layers, containers, bytesLinked, bytesCopied, inodes, bytesFree, inodesFree } = plan;
  const free = inodesFree === undefined ? "" : ` of ${inodesFree} free`;
  return [
    `From ${from} to ${to}: ${images} images, ${layers} layers, ${containers} containers`,
    `Linked or shared: ${size(bytesLinked, 4)}`,
    `Copied: ${size(bytesCopied, 4)} of ${size(bytesFree, 4)} free`,
    `Inodes: about ${inodes}${free}`,
    ...plan.notes.map((note) => `Note: ${note}`),
    ...plan.obstacles.map((obstacle) => `In the way: ${obstacle}`),
    plan.obstacles.length === 0 ? "Nothing is in the way." : "It cannot be done like this.",
  ];
}

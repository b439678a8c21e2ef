import { Command } from "commander";
import type { Choice, Reclaimed } from "../../doctor/index.js";
import { goJSON } from "../../spec/index.js";
import type { Client, Query } from "../client.js";
import { SomeFailed } from "../failure.js";
import { size } from "../format/size.js";
import { moment } from "../moment.js";
import { type Format, formatOption, print } from "../print.js";
import { alone } from "../session.js";
import { collect, type Settings } from "../settings.js";
import { servedBy } from "../survey.js";

interface Options {
  readonly dryRun?: boolean;
  readonly containers?: boolean;
  readonly images?: boolean;
  readonly allImages?: boolean;
  readonly volumes?: boolean;
  readonly allVolumes?: boolean;
  readonly until?: string;
  readonly label?: readonly string[];
  readonly format?: Format;
}

export function reclaimCommand(): Command {
  return new Command("reclaim")
    .description("free what nobody needs: layers without an image, directories without a layer, what crashes have left")
    .option("--dry-run", "only say what would be freed")
    .option("--containers", "also containers that do not run")
    .option("--images", "also images without a tag that no container uses")
    .option("--all-images", "also images with one")
    .option("--volumes", "also nameless volumes that no container has")
    .option("--all-volumes", "also named ones")
    .option("--until <time>", "of these only what was made before: 24h, 2026-01-31T12:00:00Z")
    .option("--label <key[=value]>", "of these only what has this label, or with != has not; may be repeated", collect)
    .addOption(formatOption())
    .action(
      alone<Options>(async ({ settings, options, interrupt }) => {
        const { dryRun = false } = options;
        using client = await servedBy(settings, interrupt.stop, dryRun);
        const choice = choiceOf(options);
        const done = client
          ? await asked(client, choice, dryRun)
          : await here(settings, choice, dryRun, interrupt.stop);
        await (options.format === "json" ? print(goJSON(done)) : show(done));
        if (done.Items.some(({ Failed }) => Failed !== undefined)) throw new SomeFailed("not all could be removed");
        if (done.Refused.length > 0)
          throw new SomeFailed("some of it is in doubt: layerkit check tells what is damaged");
      }),
    );
}

function choiceOf({ containers, images, allImages, volumes, allVolumes, until, label = [] }: Options): Choice {
  const [seconds = "", fraction = ""] = (moment(until) ?? "").split(".");
  return {
    ...(containers && { containers }),
    ...((images || allImages) && { images: allImages ? "all" : "untagged" }),
    ...((volumes || allVolumes) && { volumes: allVolumes ? "all" : "anonymous" }),
    ...(seconds !== "" && { untilNs: BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0")) }),
    labels: label.filter((each) => !each.startsWith("!")),
    notLabels: label.filter((each) => each.startsWith("!")).map((each) => each.slice(1)),
  };
}

async function asked(client: Client, { untilNs, ...choice }: Choice, dryRun: boolean): Promise<Reclaimed> {
  const until =
    untilNs === undefined
      ? {}
      : { until: `${untilNs / 1_000_000_000n}.${String(untilNs % 1_000_000_000n).padStart(9, "0")}` };
  const { labels, notLabels, ...rest } = choice;
  const query: Query = { ...rest, ...until, label: labels, "not-label": notLabels, "dry-run": dryRun };
  return await client.post<Reclaimed>("/layerkit/reclaim", { query });
}

/** @throws Unavailable: somebody works in the root */
async function here({ root: path, driver }: Settings, choice: Choice, dryRun: boolean, signal: AbortSignal) {
  const { Ownership, readRoot, reclaim } = await import("../../doctor/index.js");
  if (dryRun) return await reclaim(await readRoot(path, driver), { ...choice, dryRun, signal });
  // Nothing is made where there is no root.
  const { root } = await readRoot(path, driver);
  await using _owner = await Ownership.take(root);
  return await reclaim(await readRoot(root, driver), { ...choice, signal });
}

async function show({ DryRun, Items, Refused, Bytes, Inodes, DiskFreed }: Reclaimed): Promise<void> {
  for (const { Kind, Name, Failed, ...room } of Items) {
    const end = Failed === undefined ? `${size(room.Bytes, 4)}, ${room.Inodes} inodes` : `stays: ${Failed}`;
    await print(`${Kind} ${Name}: ${end}`);
  }
  for (const { Kind, Why } of Refused) {
    const more = Why.length > 3 ? `; and ${Why.length - 3} more` : "";
    process.stderr.write(
      `layerkit: ${Kind} are left alone, it is not certain what is needed: ${Why.slice(0, 3).join("; ")}${more}\n`,
    );
  }
  await print(`${DryRun ? "Would free" : "Freed"}: ${size(Bytes, 4)}, ${Inodes} inodes`);
  if (DiskFreed !== undefined) await print(`The disk has ${size(DiskFreed, 4)} more free.`);
}

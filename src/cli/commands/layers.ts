import { realpath } from "node:fs/promises";
import { Command, Option } from "commander";
import type { Found, RootMap } from "../../doctor/index.js";
import { goJSON, NotFound } from "../../spec/index.js";
import { treeLines } from "../format/tree.js";
import { layerTree } from "../layers/layer-tree.js";
import { directoryRows, type RowOptions, stackRows } from "../layers/rows.js";
import { print, printListing } from "../print.js";
import { alone } from "../session.js";
import { surveyed } from "../survey.js";

interface Options extends RowOptions {
  readonly quiet?: boolean;
  readonly size?: boolean;
  readonly format?: "table" | "json" | "tree";
}

export function layersCommand(): Command {
  return new Command("layers")
    .description("show which directory on disk is what, and whose: all, those of an image or container, or a path's")
    .argument("[image|container|directory]", "or a line of /proc/mounts")
    .option("-q, --quiet", "directories only")
    .option("-s, --size", "also what directories take that are no layers")
    .option("--no-trunc", "whole ids, names and commands")
    .addOption(new Option("--format <form>", "table, tree or json").choices(["table", "tree", "json"]))
    .action(
      alone<Options>(async ({ settings, args: [wanted], options, interrupt }) => {
        const { size = false } = options;
        const map = await surveyed<RootMap>(settings, interrupt.stop, {
          ask: (client) => client.get("/layerkit/layers", { size }),
          read: async (state) => {
            const { mapOf } = await import("../../doctor/index.js");
            return mapOf(state, { size, signal: interrupt.stop });
          },
        });
        await show(map, wanted === undefined ? undefined : await found(map, wanted), options);
      }),
    );
}

/** @throws NotFound: it is nothing of this root */
async function found(map: RootMap, wanted: string): Promise<Found> {
  const { findIn } = await import("../../doctor/index.js");
  const real = wanted.startsWith("/") ? await realpath(wanted).catch(() => wanted) : wanted;
  const meant = findIn(map, wanted) ?? findIn(map, real);
  if (meant) return meant;
  const what = wanted.length > 80 ? `${wanted.slice(0, 79)}…` : wanted;
  throw new NotFound(`${JSON.stringify(what)} names no image, container or directory of layers in ${map.Root}`);
}

async function show(map: RootMap, meant: Found | undefined, options: Options): Promise<void> {
  const { directories } = meant ?? { directories: map.Directories };
  if (options.quiet) return await print(...directories.map(({ Directory }) => Directory));
  if (options.format === "json") return await print(...directories.map((each) => goJSON(each)));
  if (options.format === "tree") return await print(...treeLines(layerTree(meant ? part(map, meant) : map)));
  if (meant?.image || meant?.container) return await printListing(stackRows(map, meant, options), "table");
  await printListing(directoryRows(directories, options), "table");
}

/** What is meant, alone: its layers, and the images and containers that have one of them on top. */
function part(map: RootMap, { image, container, directories }: Found): RootMap {
  const tops = new Set(directories.flatMap(({ ChainID }) => ChainID ?? []));
  return {
    ...map,
    Directories: [...directories].reverse(),
    Images: container ? [] : map.Images.filter((each) => (image ? each === image : tops.has(each.Layers.at(-1)!))),
    Containers: image
      ? []
      : map.Containers.filter((each) => (container ? each === container : each.Layer && tops.has(each.Layer))),
  };
}

import { rm } from "node:fs/promises";
import { Engine } from "../../src/engine/index.js";
import { leftovers } from "../oracle/root-leftovers.js";
import { savedImages, spooled } from "../oracle/saved-images.js";
import type { Root } from "./disaster.js";
import { Ledger } from "./ledger.js";

/** What a look at a root has shown. */
export interface Verified {
  /** One line for each thing lost, damaged, listed though it should not be, or left over. */
  readonly losses: readonly string[];
  /** What is there now. */
  readonly found: Ledger;
}

/**
 * Opens a root as the next start would, and looks at all that is in it: the names against the ledger, each layer's
 * bytes against its DiffID, each container's tree, and the files against what refers to them. Images that no name
 * leads to are removed.
 */
export async function verify({ root, driver }: Root, ledger: Ledger): Promise<Verified> {
  const reports: string[] = [];
  const losses: string[] = [];
  const found = new Map<string, string>();
  await using engine = await Engine.open({ root, driver, report: (line) => reports.push(line) });
  const images = await engine.images.list({ all: true });
  for (const { Id, RepoTags } of images) for (const name of RepoTags) found.set(name, Id);
  const containers = await engine.containers.list({ all: true });
  for (const { Id, Names } of containers) for (const name of Names) found.set(name, Id);
  losses.push(...ledger.compare(found));
  losses.push(...reports.filter((line) => /passed over|damaged|cannot/.test(line)));
  losses.push(
    ...(await damages(
      engine,
      images.map(({ Id }) => Id),
      `${root}.saved.tar`,
    )),
  );
  for (const { Id } of containers) {
    const mounting = engine.containers.mount(Id).then((mounted) => mounted[Symbol.asyncDispose]());
    await mounting.catch((error) => losses.push(`container ${Id} cannot be mounted: ${error}`));
  }
  // Nobody could see it but an operation that was under way.
  const nameless = await engine.images.list({ filters: { dangling: ["true"] } });
  if (ledger.isIdle) losses.push(...nameless.map(({ Id }) => `image ${Id} has no name`));
  for (const { Id } of nameless) await engine.images.remove(Id);
  losses.push(...(await leftovers(root, driver)));
  return { losses, found: Ledger.of(found) };
}

/** Saves everything, and has the hashes computed anew from what came out. */
async function damages(engine: Engine, ids: readonly string[], archive: string): Promise<string[]> {
  if (ids.length === 0) return [];
  try {
    const saved = await savedImages(await spooled(await engine.images.save([...ids]), archive));
    const wrong = saved.filter(({ layers, diffIDs }) => layers.join() !== diffIDs.join());
    return wrong.map(({ id }) => `image ${id} has layers that are not its own`);
  } catch (error) {
    return [`images cannot be saved: ${error}`];
  } finally {
    await rm(archive, { force: true });
  }
}

import { type ChainID, hexOf, shortID } from "../../spec/index.js";
import { hasLostNames } from "../check/known/name-proofs.js";
import type { RootState } from "../root/root-state.js";
import { usesOf } from "../uses.js";

/** Why it cannot be known of some things whether anybody needs them; a line each. Empty: it can. */
export interface Doubts {
  /** Of directories in the driver's home of which no entry tells. */
  readonly directories: readonly string[];
  /** Of layers that no image seems to have. */
  readonly layers: readonly string[];
  readonly images: readonly string[];
  readonly volumes: readonly string[];
}

/** What damaged metadata hides: an image that cannot be read may need any layer, an entry without its ID any directory. */
export function doubtsOf(state: RootState): Doubts {
  const images = imagesInDoubt(state);
  const entries = [...entriesInDoubt(state), ...databases(state)];
  const containers = containersInDoubt(state);
  return {
    directories: [...images, ...entries, ...writablesInDoubt(state), ...lostEntries(state)],
    layers: [...images, ...entries],
    images: [...images, ...containers, ...namesInDoubt(state)],
    volumes: containers,
  };
}

function imagesInDoubt({ images }: RootState): string[] {
  const unreadable = [...images.contents.values()]
    .filter(({ id, config }) => id && !config)
    .map(({ id, problem }) => `image ${shortID(id!)} cannot be read: ${problem}`);
  const lost = [...(images.repositories.references ?? [])]
    .filter(([, id]) => !images.contents.has(id.replace(/^sha256:/, "")))
    .map(([name]) => `the image that ${name} names has lost its config`);
  return [...unreadable, ...lost];
}

/** Without their list no image seems to have a name. */
function namesInDoubt(state: RootState): string[] {
  const { path, fact, problem } = state.images.repositories;
  if (problem !== undefined) return [`${path}: ${problem}`];
  if (!fact && state.images.contents.size > 0) return [`${path}: it is missing`];
  if (!hasLostNames(state)) return [];
  return [`${path}: it has no name, and containers call images by names: layerkit repair --names, or layerkit tag`];
}

function entriesInDoubt({ layerdb }: RootState): string[] {
  return [...layerdb.layers.values()]
    .filter(({ chainID }) => chainID)
    .filter(({ cacheID, diffID, parent, facts }) => !cacheID || !diffID || (facts.parent && !parent))
    .map(({ chainID }) => `the entry of layer ${shortID(chainID!)} is damaged`);
}

function databases({ unreadable }: RootState): string[] {
  return unreadable
    .filter(({ path }) => path.includes("/buildkit/"))
    .map(({ path, problem }) => `what the build cache needs cannot be read in ${path}: ${problem}`);
}

function writablesInDoubt({ layerdb, containers, driver }: RootState): string[] {
  const damaged = [...layerdb.mounts]
    .filter(
      ([, { mountID, initID, parent, facts }]) =>
        !mountID || (facts.parent && !parent) || (facts["init-id"] && !initID),
    )
    .map(([name]) => `the entry of the writable layer of ${shortID(name)} is damaged`);
  const lost = [...containers]
    .filter(([id, { config }]) => (!config || (config.Driver ?? driver) === driver) && !layerdb.mounts.has(id))
    .map(([id]) => `container ${shortID(id)} has lost the entry of its writable layer`);
  return [...damaged, ...lost];
}

/** Layers that somebody needs and of which no entry tells: their directories look like anybody's. */
function lostEntries(state: RootState): string[] {
  const { layerdb, images } = state;
  const needed = new Set<ChainID>([
    ...[...images.contents.values()].flatMap(({ chain }) => chain),
    ...[...layerdb.layers.values()].flatMap(({ parent }) => parent ?? []),
    ...[...layerdb.mounts.values()].flatMap(({ parent }) => parent ?? []),
  ]);
  const lost = [...needed].filter((chainID) => !layerdb.layers.has(hexOf(chainID)));
  const uses = usesOf(state);
  const initsLost = [...layerdb.mounts].filter(
    ([name, { mountID, initID }]) =>
      state.containers.has(name) && !initID && state.directories.has(`${mountID}-init`) && !uses.has(`${mountID}-init`),
  );
  return [
    ...lost.map((chainID) => `layer ${shortID(chainID)} is needed and has no entry`),
    ...initsLost.map(([name]) => `the entry of container ${shortID(name)} has lost its init layer`),
  ];
}

/** Volumes and images of a container that cannot be read. */
function containersInDoubt({ containers }: RootState): string[] {
  return [...containers]
    .filter(([, { config }]) => !config)
    .map(([id, { problem }]) => `container ${shortID(id)} cannot be read: ${problem}`);
}

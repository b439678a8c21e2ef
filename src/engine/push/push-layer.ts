import { gzipped } from "../../archive/index.js";
import type { BlobSource, DistributionCache } from "../../image/index.js";
import type { Layer, LayerStore } from "../../layer/index.js";
import type { Repository } from "../../registry/index.js";
import { type Descriptor, type Digest, mediaTypes } from "../../spec/index.js";
import { recycle } from "../../threads/index.js";
import { retrying } from "../retrying.js";
import type { LayerSources } from "./sources.js";

/** Milliseconds between two messages about one layer, as dockerd has it. */
const pace = 100;

export interface LayerPush {
  readonly layers: LayerStore;
  readonly distribution: DistributionCache;
  readonly repository: Repository;
  readonly sources: LayerSources;
  readonly signal: AbortSignal;
  readonly tell: (status: string, progress?: { readonly current: number; readonly total?: number }) => void;
}

/**
 * Sees to it that a repository has a layer: in the form in which it came from a registry, or went to one, where the
 * repository has that or can have it from a neighbour; else compressed anew.
 */
export async function pushLayer(layer: Layer, push: LayerPush): Promise<Descriptor> {
  const known = await push.distribution.sourcesOf(layer.diffID);
  const blob = (await found(layer, known, push)) ?? (await mounted(layer, known, push)) ?? (await sent(layer, push));
  await push.distribution.record(layer.diffID, push.sources.here(blob.digest));
  return { mediaType: mediaTypes.dockerLayerGzip, ...blob };
}

interface Blob {
  readonly digest: Digest;
  readonly size: number;
}

async function found(layer: Layer, known: readonly BlobSource[], push: LayerPush): Promise<Blob | undefined> {
  const { repository, sources, distribution, signal } = push;
  for (const source of sources.toCheck(known)) {
    const { digest } = source;
    const size = await repository.sizeOf(digest, { signal });
    if (size !== undefined) {
      push.tell("Layer already exists");
      return { digest, size };
    }
    if (sources.isHere(source)) await distribution.forget(layer.diffID, source);
  }
  return undefined;
}

async function mounted(layer: Layer, known: readonly BlobSource[], push: LayerPush): Promise<Blob | undefined> {
  const { repository, sources, distribution, signal } = push;
  for (const { from, ...source } of sources.toMount(known)) {
    const { digest } = source;
    const size = (await repository.mount(digest, from, { signal }))
      ? await repository.sizeOf(digest, { signal })
      : undefined;
    if (size !== undefined) {
      push.tell(`Mounted from ${from}`);
      return { digest, size };
    }
    if (sources.isOurs(source)) await distribution.forget(layer.diffID, source);
  }
  return undefined;
}

async function sent({ chainID, diffSize }: Layer, push: LayerPush): Promise<Blob> {
  const { layers, repository, signal, tell } = push;
  const total = diffSize > 0 ? { total: diffSize } : {};
  const told = (current: number) => tell("Pushing", { current, ...total });
  const opened: AsyncGenerator<Uint8Array>[] = [];
  const open = () => {
    const tar = counted(layers.tar(chainID, { signal }), told);
    opened.push(tar);
    return gzipped(tar, recycle);
  };
  const onRetry = (_why: Error, delayMs: number) => tell(retrying(delayMs));
  try {
    const blob = await repository.upload(open, { signal, onRetry });
    tell("Pushed");
    return blob;
  } finally {
    // A connection that ends early leaves its reader to notice that by itself.
    await Promise.allSettled(opened.map((tar) => tar.return(undefined)));
  }
}

/** The same bytes; told, now and then and at the end, how many have passed. */
async function* counted(bytes: AsyncIterable<Uint8Array>, tell: (passed: number) => void): AsyncGenerator<Uint8Array> {
  let [passed, told, toldAt] = [0, 0, Number.NEGATIVE_INFINITY];
  for await (const chunk of bytes) {
    passed += chunk.length;
    yield chunk;
    const now = performance.now();
    if (now - toldAt < pace) continue;
    tell(passed);
    [told, toldAt] = [passed, now];
  }
  if (told < passed) tell(passed);
}

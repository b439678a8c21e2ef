import type { Branch } from "./tree.js";

interface Stacked {
  readonly ChainID?: string;
  readonly Parent?: string;
}

/**
 * Layers as a tree: what stands under one lies on it. Layers that only go together are one branch.
 *
 * @param textOf of such a run, bottom first @param endsOf what ends with a layer, or with none
 */
export function stackTree<Layer extends Stacked>(
  layers: readonly Layer[],
  textOf: (run: readonly [Layer, ...Layer[]]) => string,
  endsOf: (top: string | undefined) => readonly Branch[],
): Branch[] {
  const children = groups(layers, ({ Parent }) => Parent);
  const branchOf = (layer: Layer): Branch => {
    const run: [Layer, ...Layer[]] = [layer];
    for (let top = layer; ; run.push(top)) {
      const [next, other] = children.get(top.ChainID) ?? [];
      if (!next || other || endsOf(top.ChainID).length > 0) break;
      top = next;
    }
    const top = run.at(-1)?.ChainID;
    return { text: textOf(run), below: [...endsOf(top), ...(children.get(top) ?? []).map(branchOf)] };
  };
  const there = new Set(layers.map(({ ChainID }) => ChainID));
  const bottoms = layers.filter(({ Parent }) => Parent === undefined || !there.has(Parent));
  return [...bottoms.map(branchOf), ...endsOf(undefined)];
}

/** By a key, in their order. */
export function groups<T>(all: readonly T[], keyOf: (each: T) => string | undefined): Map<string | undefined, T[]> {
  const groups = new Map<string | undefined, T[]>();
  for (const each of all) {
    const group = groups.get(keyOf(each));
    if (group) group.push(each);
    else groups.set(keyOf(each), [each]);
  }
  return groups;
}

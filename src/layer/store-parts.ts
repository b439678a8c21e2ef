import type { Driver } from "../driver/index.js";
import { Forbidden } from "../spec/index.js";
import type { RWLayer } from "./layer.js";
import type { LayerTable } from "./layer-table.js";
import type { LayerDB } from "./layerdb.js";
import type { Turns } from "./turns.js";

/** What the pieces of a layer store have in common. */
export interface StoreParts {
  readonly db: LayerDB;
  readonly driver: Driver;
  readonly layers: LayerTable;
  readonly rwLayers: Map<string, RWLayer>;
  /** Who gives or takes names in `sha256/` takes a turn. */
  readonly turns: Turns;
  readonly writable: boolean;
  readonly report: (line: string) => void;
}

/** @throws Forbidden */
export function mustBeWritable({ writable }: StoreParts): void {
  if (!writable) throw new Forbidden("the data root is open for reading only: another process owns it");
}

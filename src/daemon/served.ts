import type { Engine } from "../engine/index.js";
import type { Handler } from "./http/call.js";
import type { Pattern } from "./http/router.js";

/** What the daemon uses of an engine. */
export type Served = Pick<
  Engine,
  | "root"
  | "driver"
  | "layers"
  | "images"
  | "containers"
  | "processes"
  | "execs"
  | "volumes"
  | "networks"
  | "events"
  | "doctor"
  | "pins"
  | "info"
  | "version"
  | "diskUsage"
  | "login"
  | "reload"
>;

/** Endpoints with what serves them, in the order they are tried. */
export type Routes = readonly (readonly [Pattern, Handler])[];

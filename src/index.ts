/**
 * The library: open a data root and work with what is in it, without a daemon.
 *
 * ```ts
 * import { open } from "layerkit";
 *
 * await using root = await open({ root: "/var/lib/layerkit" });
 * const { Id } = await root.containers.create({ Image: "debian:12", Cmd: ["sh"] });
 * await using mounted = await root.containers.mount(Id);
 * // read and write below mounted.path
 * ```
 */
import { Engine, type EngineOptions } from "./engine/index.js";

export type * from "./engine/index.js";
export { ownerOf } from "./engine/index.js";
export type { RegistriesOptions } from "./registry/index.js";
export {
  AlreadyExists,
  Cancelled,
  Conflict,
  type Credentials,
  DataLoss,
  type ErrorCode,
  Forbidden,
  InvalidParameter,
  LayerkitError,
  NotFound,
  NotImplemented,
  NotModified,
  Unauthorized,
  Unavailable,
} from "./spec/index.js";

/**
 * An opened data root. What it gives and takes has the shapes and names of Docker's API. Mounts, streams and the
 * root itself are given back by disposing them (`await using`); disposing the root undoes all of its mounts.
 */
export type DataRoot = Pick<
  Engine,
  "root" | "readOnly" | "images" | "layers" | "containers" | "volumes" | "events" | "info" | "diskUsage"
> &
  AsyncDisposable;

/**
 * Opens a data root, of Docker's or of our own making, or makes one.
 *
 * For writing it is this process's alone until disposed: neither another layerkit nor a dockerd can open it meanwhile.
 * What interrupted operations left is removed, one line each to `report` (standard error unless given).
 *
 * @throws Unavailable: another process has the root, its pid is in the message; the kernel or the file system cannot
 * have the storage driver; InvalidParameter: unknown driver or option, data of several drivers in the root; NotFound:
 * there is no such root, and `readOnly`
 */
export async function open(options: EngineOptions): Promise<DataRoot> {
  return Engine.open(options);
}

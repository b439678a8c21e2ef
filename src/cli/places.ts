import { isAbsolute, join } from "node:path";
import { InvalidParameter } from "../spec/index.js";

/** Where root's daemon keeps its data, and an ordinary user's. */
export function defaultRoot(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): string {
  if (uid === 0) return "/var/lib/layerkit";
  return join(env.XDG_DATA_HOME || join(env.HOME || "/", ".local/share"), "layerkit");
}

/** The socket `serve` listens on when no `-H` is given, as a path. */
export function defaultSocket(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): string {
  if (uid === 0) return "/run/layerkit.sock";
  return join(env.XDG_RUNTIME_DIR || defaultRoot(env, uid), "layerkit.sock");
}

/** Where settings are looked for when no `--config-file` is given. */
export function defaultConfigFile(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): string {
  if (uid === 0) return "/etc/layerkit/daemon.json";
  return join(env.XDG_CONFIG_HOME || join(env.HOME || "/", ".config"), "layerkit/daemon.json");
}

/** Sockets that a service manager hands over. */
export const activated = "fd://";

/**
 * The path of `unix:///PATH`, or the default one of `unix://`; `fd://` as it is.
 *
 * @throws InvalidParameter: another scheme, or not absolute
 */
export function socketOf(host: string): string {
  if (host === activated || host === `${activated}*`) return activated;
  if (host === "unix://") return defaultSocket();
  const path = host.startsWith("unix://") ? host.slice("unix://".length) : "";
  if (!isAbsolute(path))
    throw new InvalidParameter(`invalid host ${JSON.stringify(host)}: want unix:///PATH/TO/SOCKET, or for serve fd://`);
  return path;
}

/**
 * A socket in the data root itself, which every daemon listens on, so that commands find it without opening the root;
 * undefined where the path would be longer than the kernel takes.
 */
export function rootSocket(root: string): string | undefined {
  const path = join(root, "layerkit.sock");
  return Buffer.byteLength(path) <= 107 ? path : undefined;
}

/** Where it is remembered what takes how much of data roots; it may be deleted at any time. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const usual = process.getuid?.() === 0 ? "/var/cache" : join(env.HOME || "/", ".cache");
  return join(env.XDG_CACHE_HOME || usual, "layerkit");
}

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

/** The path of `unix:///PATH`. @throws InvalidParameter: another scheme, or not absolute */
export function socketPathOf(host: string): string {
  const path = host.startsWith("unix://") ? host.slice("unix://".length) : "";
  if (!isAbsolute(path))
    throw new InvalidParameter(`invalid host ${JSON.stringify(host)}: want unix:///PATH/TO/SOCKET`);
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

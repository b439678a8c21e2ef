import { mkdir } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { isErrno, messageOf, Unavailable } from "../../spec/index.js";
import {
  close,
  fsconfigCreate,
  fsconfigFlag,
  fsconfigString,
  fsmount,
  fsopen,
  MNT,
  mount,
  moveMount,
  statfs,
  umountInBackground,
} from "../../sys/index.js";

/** An overlay mount, by names relative to the driver's home. */
export interface OverlayStack {
  /** Top first. */
  readonly lowers: readonly string[];
  /** The writable layer; without it the mount is read-only. */
  readonly upper?: { readonly dir: string; readonly work: string };
  /** Where it is mounted. */
  readonly target: string;
}

/** What the kernel can do and needs, found out once. */
export interface OverlayFeatures {
  /** It knows `index`, which Docker switches off: upper directories are moved and copied. */
  readonly index: boolean;
  /** In a user namespace overlayfs keeps its xattrs under `user.`. */
  readonly userxattr: boolean;
  /** Layers can be given one by one (`lowerdir+`, Linux 6.8). */
  readonly layerByLayer: boolean;
}

/**
 * The ways to mount. `options`: mount(2) with absolute names, what Docker does and `/proc/mounts` shows as users of
 * Docker know it; all has to fit a page. `layers`: the mount API of Linux 5.2, layer by layer, each name up to 255
 * bytes. `relative`: mount(2) from the home as working directory, which any home and 128 layers allow.
 */
export type MountWay = "options" | "layers" | "relative";

/** What mount(2) takes at most: a page with the NUL at its end. */
const mostOptions = 4095;
const mostValue = 255;

/** Mounts the stack. @throws Unavailable: the kernel refuses it, with its reason */
export async function mountOverlay(
  home: string,
  stack: OverlayStack,
  features: OverlayFeatures,
  way: MountWay = wayFor(home, stack, features),
): Promise<void> {
  try {
    if (way === "options") mount("overlay", `${home}/${stack.target}`, "overlay", 0, optionsOf(stack, features, home));
    else if (way === "layers") mountLayers(home, stack, features);
    else await mountFrom(home, stack.target, optionsOf(stack, features));
    await assertWritable(home, stack);
  } catch (error) {
    const target = `${home}/${stack.target}`;
    throw new Unavailable(`error creating overlay mount to ${target}: ${messageOf(error)}`, { cause: error });
  }
}

/** Without space for a directory in the work directory the kernel mounts a stack all the same, but read-only. */
async function assertWritable(home: string, { upper, target }: OverlayStack): Promise<void> {
  if (upper === undefined || !statfs(`${home}/${target}`).readOnly) return;
  await unmountOverlay(`${home}/${target}`);
  await mkdir(`${home}/${upper.work}/work`); // fails as the kernel's own did
  throw new Error("it came out read-only");
}

/** Takes the mount out of sight; it ends with its last user. Nothing mounted there is no error. */
export async function unmountOverlay(target: string): Promise<void> {
  try {
    await umountInBackground(target, MNT.DETACH);
  } catch (error) {
    if (!isErrno(error, "EINVAL", "ENOENT")) throw error;
  }
}

export function wayFor(home: string, stack: OverlayStack, features: OverlayFeatures): MountWay {
  const plain = !/[:,\\"]/.test(home);
  if (plain && Buffer.byteLength(optionsOf(stack, features, home)) <= mostOptions) return "options";
  const names = [...stack.lowers, stack.upper?.dir ?? "", stack.upper?.work ?? ""];
  const longest = Buffer.byteLength(home) + 1 + Math.max(...names.map((name) => name.length));
  return features.layerByLayer && longest <= mostValue ? "layers" : "relative";
}

/** As Docker orders them. @param home left out, the names stay relative */
function optionsOf({ lowers, upper }: OverlayStack, features: OverlayFeatures, home?: string): string {
  const full = (name: string) => (home === undefined ? name : `${home}/${name}`);
  const options = [`lowerdir=${lowers.map(full).join(":")}`];
  if (features.userxattr) options.unshift("userxattr");
  if (features.index) options.unshift("index=off");
  if (upper) options.push(`upperdir=${full(upper.dir)}`, `workdir=${full(upper.work)}`);
  return options.join(",");
}

function mountLayers(home: string, { lowers, upper, target }: OverlayStack, features: OverlayFeatures): void {
  const fd = fsopen("overlay");
  try {
    fsconfigString(fd, "source", "overlay");
    if (features.index) fsconfigString(fd, "index", "off");
    if (features.userxattr) fsconfigFlag(fd, "userxattr");
    for (const lower of lowers) fsconfigString(fd, "lowerdir+", `${home}/${lower}`);
    if (upper) {
      // Unlike lowerdir+, these two are unescaped by the kernel.
      const escaped = home.replaceAll("\\", "\\\\");
      fsconfigString(fd, "upperdir", `${escaped}/${upper.dir}`);
      fsconfigString(fd, "workdir", `${escaped}/${upper.work}`);
    }
    fsconfigCreate(fd);
    attach(fsmount(fd), `${home}/${target}`);
  } finally {
    close(fd);
  }
}

function attach(mountFd: number, target: string): void {
  try {
    moveMount(mountFd, target);
  } finally {
    close(mountFd);
  }
}

export interface RelativeMount {
  readonly home: string;
  readonly target: string;
  readonly options: string;
}

/** In a thread that has a working directory of its own. */
function mountFrom(home: string, target: string, options: string): Promise<void> {
  if (options.length > mostOptions) {
    throw new Unavailable(`cannot mount layer, mount label too large ${options.length}`);
  }
  const workerData: RelativeMount = { home, target, options };
  return new Promise((done, fail) => {
    const worker = new Worker(new URL("./relative-mount-worker.js", import.meta.url), { workerData, execArgv: [] });
    worker.once("error", fail);
    worker.once("exit", (code) => (code === 0 ? done() : fail(new Error(`the mounting thread ended with ${code}`))));
  });
}

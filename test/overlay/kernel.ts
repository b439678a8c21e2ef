import * as fs from "node:fs";
import { tmpdir } from "node:os";
import type { Tree } from "../../src/overlayfs/index.js";
import * as sys from "../../src/sys/index.js";
import { readTree, writeTree } from "./disk-tree.js";
import { linesOf } from "./lines.js";
import type { Action, Operation, Outcome, With } from "./script.js";

const { O_PATH, O_DIRECTORY, O_NOFOLLOW, O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK } = sys.O;
const at = sys.AT_FDCWD;

/** Why overlay mounts cannot be tried here; undefined when they can. */
export function whyNoOverlay(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const kernel = new Kernel(false);
  try {
    kernel.mount();
    sys.lsetxattr(kernel.merged, "user.probe", new Uint8Array(1));
    return undefined;
  } catch (error) {
    return `no overlay mounts with user xattrs here: ${error}`;
  } finally {
    kernel.close();
  }
}

/** What the kernel says of a script. */
export function onKernel(script: readonly Operation[], redirectDir = false): Outcome {
  const kernel = new Kernel(redirectDir);
  const outcome = { answers: [] as string[], views: [] as string[][], uppers: [] as string[][] };
  const show = () => {
    const warm = linesOf(readTree(kernel.merged, kernel.start));
    kernel.remount();
    const cold = linesOf(readTree(kernel.merged, kernel.start));
    if (warm.join("\n") !== cold.join("\n")) throw new Error(`the view changed with a new mount:\n${warm.join("\n")}`);
    outcome.views.push(cold);
    outcome.uppers.push(linesOf(readTree(kernel.upper, kernel.start)));
  };
  try {
    kernel.mount();
    for (const operation of script) {
      if (operation.op === "commit") show();
      if (operation.op === "commit") kernel.commit();
      else outcome.answers.push(kernel.answer(operation));
    }
    show();
    return outcome;
  } finally {
    kernel.close();
  }
}

/** What the kernel makes of layers, bottom first, as lines. */
export function mergedByKernel(layers: readonly Tree[]): string[] {
  const dir = scratch();
  const merged = `${dir}/merged`;
  try {
    fs.mkdirSync(merged);
    for (const [index, layer] of layers.entries()) writeTree(`${dir}/${index}`, layer);
    const lowers = layers.map((_, index) => `${dir}/${index}`).reverse();
    sys.mount("overlay", merged, "overlay", 0, `redirect_dir=follow,lowerdir=${lowers.join(":")}`);
    try {
      return linesOf(readTree(merged, 1n << 62n));
    } finally {
      sys.umount(merged);
    }
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

function scratch(): string {
  return fs.mkdtempSync(`${fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir()}/overlay-`);
}

/** A real overlay mount over layers that earlier operations made. */
class Kernel {
  readonly #dir: string;
  readonly #redirectDir: boolean;
  /** Earlier than anything written here. */
  readonly start = BigInt(Date.now()) * 1_000_000n - 1_000_000_000n;
  /** Topmost first; the last is empty, since a mount needs a lower directory. */
  #lowers: string[];
  #mounted = false;

  constructor(redirectDir: boolean) {
    this.#dir = scratch();
    this.#redirectDir = redirectDir;
    this.#lowers = [`${this.#dir}/base`];
    for (const name of ["base", "0", "work", "merged"]) fs.mkdirSync(`${this.#dir}/${name}`, { mode: 0o755 });
  }

  get merged(): string {
    return `${this.#dir}/merged`;
  }
  get upper(): string {
    return `${this.#dir}/${this.#lowers.length - 1}`;
  }

  mount(): void {
    const redirect = this.#redirectDir ? ",redirect_dir=on" : "";
    const dirs = `lowerdir=${this.#lowers.join(":")},upperdir=${this.upper},workdir=${this.#dir}/work`;
    sys.mount("overlay", this.merged, "overlay", 0, `index=off${redirect},${dirs}`);
    this.#mounted = true;
  }

  #unmount(): void {
    if (this.#mounted) sys.umount(this.merged);
    this.#mounted = false;
  }

  /** Whatever the kernel remembers of names is gone. */
  remount(): void {
    this.#unmount();
    this.mount();
  }

  commit(): void {
    this.#unmount();
    this.#lowers.unshift(this.upper);
    fs.mkdirSync(this.upper, { mode: 0o755 });
    this.mount();
  }

  close(): void {
    this.#unmount();
    fs.rmSync(Buffer.from(this.#dir), { recursive: true, force: true });
  }

  answer(action: Action): string {
    try {
      this.#perform(action);
      return "ok";
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      return code === "ENOTSUP" ? "EOPNOTSUPP" : code;
    }
  }

  #perform(action: Action): void {
    this.#inParent(action.path, (dir, name) => {
      if (action.op === "link") {
        sys.lstatat(dir, name, new sys.Stat()); // link(2) looks at its source before it looks for the new place
        this.#inParent(action.to, (to, toName) => sys.linkat(dir, name, to, toName));
      } else if (action.op === "rename")
        this.#inParent(action.to, (to, toName) => sys.renameat2(dir, name, to, toName));
      else perform(action, dir, name);
    });
  }

  /** Calls `act` with the directory that `path` is in; no symlink is followed on the way. */
  #inParent(path: string, act: (dir: number, name: string) => void): void {
    const slash = path.lastIndexOf("/");
    const root = sys.openat(at, this.merged, O_PATH | O_DIRECTORY);
    try {
      const how = { flags: O_PATH | O_DIRECTORY, resolve: sys.resolve.noSymlinks };
      const dir = sys.openat2(root, path.slice(0, Math.max(slash, 0)) || ".", how);
      try {
        act(dir, path.slice(slash + 1));
      } finally {
        sys.close(dir);
      }
    } finally {
      sys.close(root);
    }
  }
}

type Performers = { [Op in Action["op"]]?: (dir: number, name: string, action: With<Op, Action>) => void };

const performers: Performers = {
  mkdir: (dir, name, { mode }) => sys.mkdirat(dir, name, mode),
  create: (dir, name, { mode, text }) =>
    withOpen(dir, name, O_WRONLY | O_CREAT | O_EXCL, (fd) => fs.writeSync(fd, text), mode),
  mkfifo: (dir, name, { mode }) => sys.mknodat(dir, name, sys.S.IFIFO | mode),
  mkdev: (dir, name, { kind, major, minor }) =>
    sys.mknodat(dir, name, (kind === "char" ? sys.S.IFCHR : sys.S.IFBLK) | 0o600, major, minor),
  symlink: (dir, name, { target }) => sys.symlinkat(target, dir, name),
  replace: (dir, name, { text }) => withOpen(dir, name, O_WRONLY | O_TRUNC, (fd) => fs.writeSync(fd, text)),
  append: (dir, name, { text }) => withOpen(dir, name, O_WRONLY | O_APPEND, (fd) => fs.writeSync(fd, text)),
  truncate: (dir, name, { size }) => withOpen(dir, name, O_WRONLY, (fd) => fs.ftruncateSync(fd, size)),
  unlink: (dir, name) => sys.unlinkat(dir, name),
  rmdir: (dir, name) => sys.unlinkat(dir, name, sys.AT_REMOVEDIR),
  chmod: (dir, name, { mode }) => withOpen(dir, name, O_PATH, (fd) => fs.chmodSync(`/proc/self/fd/${fd}`, mode)),
  chown: (dir, name, { uid, gid }) => sys.lchownat(dir, name, uid, gid),
  utimes: (dir, name, { mtimeNs }) => sys.lutimesat(dir, name, mtimeNs, mtimeNs),
  setXattr: (dir, name, { name: xattr, text }) =>
    sys.lsetxattr(`/proc/self/fd/${dir}/${name}`, xattr, Buffer.from(text)),
  removeXattr: (dir, name, { name: xattr }) => sys.lremovexattr(`/proc/self/fd/${dir}/${name}`, xattr),
};

function perform(action: Action, dir: number, name: string): void {
  const performer = performers[action.op] as (dir: number, name: string, action: Action) => void;
  performer(dir, name, action);
}

function withOpen(dir: number, name: string, flags: number, use: (fd: number) => unknown, mode = 0): void {
  const fd = sys.openat(dir, name, flags | O_NOFOLLOW | (flags & O_PATH ? 0 : O_NONBLOCK), mode);
  try {
    use(fd);
  } finally {
    sys.close(fd);
  }
}

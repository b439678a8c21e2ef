import * as fs from "node:fs";
import { tmpdir } from "node:os";
import type { Directory, Inode, Tree } from "../../src/overlayfs/index.js";
import { decodeName } from "../../src/spec/index.js";
import * as sys from "../../src/sys/index.js";
import { linesOf, now } from "./lines.js";
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
    const warm = linesOf(kernel.read(kernel.merged));
    kernel.remount();
    const cold = linesOf(kernel.read(kernel.merged));
    if (warm.join("\n") !== cold.join("\n")) throw new Error(`the view changed with a new mount:\n${warm.join("\n")}`);
    outcome.views.push(cold);
    outcome.uppers.push(linesOf(kernel.read(kernel.upper)));
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

/** A real overlay mount over layers that earlier operations made. */
class Kernel {
  readonly #dir: string;
  readonly #redirectDir: boolean;
  readonly #start = BigInt(Date.now()) * 1_000_000n - 1_000_000_000n;
  /** Topmost first; the last is empty, since a mount needs a lower directory. */
  #lowers: string[];
  #mounted = false;

  constructor(redirectDir: boolean) {
    const base = fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
    this.#dir = fs.mkdtempSync(`${base}/overlay-`);
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

  /** The tree in a directory, what overlayfs keeps in it for itself read as what it means. */
  read(dir: string): Tree {
    const inodes = new Map<string, Inode>();
    return this.#readInode(dir, inodes) as Directory;
  }

  #readInode(path: string, inodes: Map<string, Inode>): Inode {
    const stat = sys.lstatat(at, path, new sys.Stat());
    const key = `${stat.dev}:${stat.ino}`;
    const known = inodes.get(key);
    if (known !== undefined && known.kind !== "directory") return known;
    const inode = this.#newInode(path, stat, inodes);
    inodes.set(key, inode);
    return inode;
  }

  #newInode(path: string, stat: sys.Stat, inodes: Map<string, Inode>): Inode {
    const type = stat.mode & sys.S.IFMT;
    const mtimeNs = stat.mtimeNs >= this.#start ? now : stat.mtimeNs;
    const meta = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtimeNs, xattrs: userXattrs(path) };
    if (type === sys.S.IFDIR) return { kind: "directory", meta, entries: this.#entries(path, inodes), ...marks(path) };
    if (type === sys.S.IFLNK) return { kind: "symlink", meta, target: sys.readlinkat(at, path) };
    if (type === sys.S.IFIFO) return { kind: "fifo", meta };
    if (type === sys.S.IFREG) return { kind: "file", meta, size: stat.size, content: contentOf(path) };
    const kind = type === sys.S.IFCHR ? "char" : "block";
    if (kind === "char" && stat.rdevMajor === 0 && stat.rdevMinor === 0) return { kind: "whiteout" };
    return { kind, meta, major: stat.rdevMajor, minor: stat.rdevMinor };
  }

  #entries(path: string, inodes: Map<string, Inode>): Map<string, Inode> {
    const fd = sys.openat(at, path, O_DIRECTORY);
    const entries = sys.readDirectory(fd);
    sys.close(fd);
    return new Map(entries.map(({ name }) => [name, this.#readInode(`${path}/${name}`, inodes)]));
  }
}

type Performers = { [Op in Action["op"]]?: (dir: number, name: string, action: With<Op, Action>) => void };

const performers: Performers = {
  mkdir: (dir, name, { mode }) => sys.mkdirat(dir, name, mode),
  create: (dir, name, { mode, text }) =>
    withOpen(dir, name, O_WRONLY | O_CREAT | O_EXCL, (fd) => fs.writeSync(fd, text), mode),
  mkfifo: (dir, name, { mode }) => sys.mknodat(dir, name, sys.S.IFIFO | mode),
  mkdev: (dir, name, { kind, minor }) =>
    sys.mknodat(dir, name, (kind === "char" ? sys.S.IFCHR : sys.S.IFBLK) | 0o600, 240, minor),
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

function contentOf(path: string): string {
  const fd = sys.openat(at, path, O_NOFOLLOW);
  try {
    return fs.readFileSync(fd, "latin1");
  } finally {
    sys.close(fd);
  }
}

function userXattrs(path: string): Map<string, Uint8Array> {
  const names = sys.llistxattr(path).filter((name) => name.startsWith("user."));
  return new Map(names.map((name) => [name, sys.lgetxattr(path, name) ?? new Uint8Array()]));
}

function marks(path: string): Pick<Directory, "opaque" | "redirect"> {
  const opaque = xattr(path, "trusted.overlay.opaque") === "y";
  const redirect = xattr(path, "trusted.overlay.redirect");
  return { ...(opaque && { opaque }), ...(redirect !== undefined && { redirect }) };
}

function xattr(path: string, name: string): string | undefined {
  const value = sys.lgetxattr(path, name);
  return value && decodeName(value);
}

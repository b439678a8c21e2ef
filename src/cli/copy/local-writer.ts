import { constants, type Stats } from "node:fs";
import { chmod, lchown, link, lstat, lutimes, mkdir, open, symlink, unlink } from "node:fs/promises";
import type { TarEntry } from "../../archive/index.js";
import { cleanPath, encodeName, InvalidParameter, isErrno, type Path, parentOf } from "../../spec/index.js";

/**
 * Writes the entries of an archive that came out of a container below a local root. What a container holds is not to
 * be trusted: no entry is written through a symbolic link, and none outside the root.
 */
export class LocalWriter {
  #root: Buffer;
  #owners: boolean;
  #keepRoot: boolean;
  /** The root's name in the archive, which the root takes the place of; known from the first entry on. */
  #rootName: Path | undefined;
  /** Directories below the root known to be real ones. */
  #real = new Set<Path>();
  /** Directories with what has to wait until they are filled, the root last. */
  #late: (() => Promise<void>)[] = [];

  /**
   * @param root absolute path of what the archive's root becomes; what it is in must be there
   * @param owners whether files get the owners the archive has
   * @param keepRoot whether the root, a directory, stays as it is: only what is in it is written
   */
  constructor(root: Buffer, { owners, keepRoot = false }: { owners: boolean; keepRoot?: boolean }) {
    this.#root = root;
    this.#owners = owners;
    this.#keepRoot = keepRoot;
  }

  /** @throws InvalidParameter: it would be written outside the root; a directory over a file, or a file over one */
  async write(entry: TarEntry): Promise<void> {
    const path = this.#place(entry.name);
    await this.#checkParents(path);
    const at = this.#at(path);
    if (entry.kind === "directory") return await this.#directory(at, path, entry);
    await this.#makeWay(at, path);
    if (!(await this.#make(at, entry))) return;
    if (entry.kind !== "hardlink") await this.#attributes(at, entry);
  }

  /** Sets modes and times of directories, the deepest first. */
  async finish(): Promise<void> {
    for (const late of this.#late.reverse()) await late();
  }

  /** @returns false: it was left out, and said so */
  async #make(at: Buffer, entry: TarEntry): Promise<boolean> {
    if (entry.kind === "file") await writeContent(at, entry);
    else if (entry.kind === "symlink") await symlink(encodeName(entry.linkname), at);
    else if (entry.kind === "hardlink") await this.#hardlink(at, entry);
    else {
      process.stderr.write(`layerkit: left out ${entry.name}: a ${entry.kind} is not copied\n`);
      return false;
    }
    return true;
  }

  async #hardlink(at: Buffer, { linkname }: TarEntry): Promise<void> {
    const to = this.#place(linkname);
    await this.#checkParents(to);
    await link(this.#at(to), at);
  }

  async #directory(at: Buffer, path: Path, entry: TarEntry): Promise<void> {
    const there = await statOf(at);
    if (there && !there.isDirectory())
      throw new InvalidParameter(`cannot copy directory ${entry.name} over ${show(at)}: that is no directory`);
    if (!there) await mkdir(at, 0o700);
    this.#real.add(path);
    if (path !== "" || !this.#keepRoot) this.#late.push(() => this.#attributes(at, entry));
  }

  async #makeWay(at: Buffer, path: Path): Promise<void> {
    const there = await statOf(at);
    if (there?.isDirectory()) throw new InvalidParameter(`cannot copy ${path} over ${show(at)}: that is a directory`);
    if (there) await unlink(at);
  }

  async #attributes(at: Buffer, { kind, meta }: TarEntry): Promise<void> {
    if (this.#owners) await lchown(at, meta.uid, meta.gid);
    if (kind !== "symlink") await chmod(at, meta.mode);
    const seconds = Number(meta.mtimeNs) / 1e9;
    await lutimes(at, seconds, seconds);
  }

  /** Where below the root an entry goes; `""` is the root itself. */
  #place(name: string): Path {
    const path = cleanPath(name);
    this.#rootName ??= path;
    if (this.#rootName === "" || path === this.#rootName) return path === this.#rootName ? "" : path;
    if (!path.startsWith(`${this.#rootName}/`))
      throw new InvalidParameter(`the archive has ${JSON.stringify(name)}, which is not in ${this.#rootName}`);
    return path.slice(this.#rootName.length + 1);
  }

  async #checkParents(path: Path): Promise<void> {
    if (path === "") return;
    const parent = parentOf(path);
    if (parent === "" || this.#real.has(parent)) return;
    await this.#checkParents(parent);
    if (!(await statOf(this.#at(parent)))?.isDirectory())
      throw new InvalidParameter(`cannot write ${path}: ${show(this.#at(parent))} is no directory`);
    this.#real.add(parent);
  }

  #at(path: Path): Buffer {
    return path === "" ? this.#root : Buffer.concat([this.#root, Buffer.from("/"), encodeName(path)]);
  }
}

const fresh = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

async function writeContent(at: Buffer, { body }: TarEntry): Promise<void> {
  await using file = await open(at, fresh, 0o600);
  for await (const chunk of body) await file.writeFile(chunk);
}

async function statOf(at: Buffer): Promise<Stats | undefined> {
  try {
    return await lstat(at);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

function show(path: Buffer): string {
  return path.toString("utf8");
}

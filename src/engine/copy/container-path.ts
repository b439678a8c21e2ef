import { InvalidParameter, isErrno, type Path } from "../../spec/index.js";
import { AT_FDCWD, close, O, openat, openat2, readlinkat, resolve } from "../../sys/index.js";

const mostLinks = 255;

/** A path in a container as somebody asked for it. */
export interface AskedPath {
  /** Absolute; as asked for, but clean. */
  readonly absolute: string;
  /** Last name: `/` of the root, `.` when the content of a directory is meant. */
  readonly base: string;
  /** It ends in `/` or `/.`: has to be a directory, a link at its end is followed. */
  readonly isDirectory: boolean;
}

/** Takes apart what a client asks for: `/a/b`, `/a/b/`, `/a/b/.`; `..` stops at the root. */
export function parsePath(asked: string): AskedPath {
  const names: string[] = [];
  for (const name of asked.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  const absolute = `/${names.join("/")}`;
  const content = /(^|\/)\.\/*$/.test(asked);
  return { absolute, base: content ? "." : (names.at(-1) ?? "/"), isDirectory: content || asked.endsWith("/") };
}

/** A directory opened to be the root in which paths are looked up. */
export class Root implements Disposable {
  readonly fd: number;

  constructor(path: string) {
    this.fd = openat(AT_FDCWD, path, O.O_PATH | O.O_DIRECTORY);
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }

  /**
   * Where a path leads when every link in it is followed, absolute ones and `..` staying inside the root. What is
   * not there stays in it as it stands.
   *
   * @param path absolute
   * @throws InvalidParameter: too many links
   */
  follow(path: string): string {
    const found: string[] = [];
    const left = path.split("/");
    for (let links = 0; left.length > 0; ) {
      const name = left.shift();
      if (name === ".." || name === "." || name === "" || name === undefined) {
        if (name === "..") found.pop();
        continue;
      }
      const target = this.#target([...found, name].join("/"));
      if (target === undefined) {
        found.push(name);
        continue;
      }
      if (++links > mostLinks) throw new InvalidParameter(`too many links in ${path}`);
      if (target.startsWith("/")) found.length = 0;
      left.unshift(...target.split("/"));
    }
    return `/${found.join("/")}`;
  }

  /** The path with the links of its directories followed; one at its end only when it has to be a directory. */
  resolve({ absolute, isDirectory }: AskedPath): Path {
    if (isDirectory) return this.follow(absolute).slice(1);
    const slash = absolute.lastIndexOf("/");
    return `${this.follow(absolute.slice(0, slash))}/${absolute.slice(slash + 1)}`.replace(/^\/+/, "");
  }

  /** The target of the link at `path`; undefined when no link is there. */
  #target(path: Path): string | undefined {
    try {
      const fd = openat2(this.fd, path, { flags: O.O_PATH | O.O_NOFOLLOW, resolve: resolve.inRoot });
      try {
        return readlinkat(fd, "");
      } finally {
        close(fd);
      }
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR", "EINVAL", "ELOOP")) return undefined;
      throw error;
    }
  }
}

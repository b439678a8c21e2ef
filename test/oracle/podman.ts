import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { output, run } from "./run.js";

/** An image as a store has it. */
export interface ShownImage {
  readonly id: string;
  /** Bottom first. */
  readonly diffIDs: readonly string[];
}

/** A real podman with a store of its own, which needs no daemon. */
export class Podman implements AsyncDisposable {
  readonly #directory: string;
  readonly #globals: readonly string[];

  private constructor(directory: string) {
    this.#directory = directory;
    const places = ["--root", join(directory, "root"), "--runroot", join(directory, "run")];
    this.#globals = [...places, "--storage-driver", "overlay", "--events-backend", "none"];
  }

  /** @param directory what it keeps; made here */
  static async open(directory: string): Promise<Podman> {
    await mkdir(join(directory, "tmp"), { recursive: true });
    return new Podman(directory);
  }

  /** Runs it; it has to succeed. @returns its standard output, trimmed */
  async podman(...args: readonly string[]): Promise<string> {
    return (
      await output("podman", [...this.#globals, ...args], { env: { TMPDIR: join(this.#directory, "tmp") } })
    ).trim();
  }

  async image(name: string): Promise<ShownImage> {
    const shown = await this.podman("image", "inspect", "--format", '["{{.Id}}",{{json .RootFS.Layers}}]', name);
    const [id, diffIDs] = JSON.parse(shown) as [string, string[]];
    return { id: `sha256:${id}`, diffIDs };
  }

  /** What `look` sees of the image's tree. */
  async looking<T>(name: string, look: (path: string) => Promise<T>): Promise<T> {
    const path = await this.podman("image", "mount", name);
    try {
      return await look(path);
    } finally {
      await this.podman("image", "unmount", name);
    }
  }

  /** Its store can be removed then. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", ["--lazy", join(this.#directory, "root/overlay")]);
  }
}

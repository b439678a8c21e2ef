import { join } from "node:path";
import { expect } from "vitest";
import { Dockerd } from "./dockerd.js";
import { Layerkitd } from "./layerkitd.js";
import { sampleArchive } from "./sample-image.js";
import { loopDisk } from "./scratch.js";

/** Our daemon and dockerd, each with the sample image. */
export class Both implements AsyncDisposable {
  readonly ours: Layerkitd;
  readonly theirs: Dockerd;
  readonly #disk: AsyncDisposable;

  private constructor(ours: Layerkitd, theirs: Dockerd, disk: AsyncDisposable) {
    this.ours = ours;
    this.theirs = theirs;
    this.#disk = disk;
  }

  static async start(): Promise<Both> {
    const disk = await loopDisk("ext4", "1G");
    const [ours, theirs] = await Promise.all([
      Layerkitd.start(join(disk.path, "ours")),
      Dockerd.start(join(disk.path, "theirs")),
    ]);
    const input = await sampleArchive("sample:1");
    await Promise.all([ours, theirs].map((daemon) => daemon.tryDocker(["load"], { input })));
    return new Both(ours, theirs, disk);
  }

  /** Plays one thing with either; it has to come to the same. */
  async play(play: (daemon: Dockerd | Layerkitd) => Promise<unknown>): Promise<void> {
    const [ours, theirs] = await Promise.all([this.ours, this.theirs].map(play));
    expect(ours).toEqual(theirs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ours[Symbol.asyncDispose]();
    await this.theirs[Symbol.asyncDispose]();
    await this.#disk[Symbol.asyncDispose]();
  }
}

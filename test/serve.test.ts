import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ownerOf } from "../src/engine/index.js";
import { Layerkitd, layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { rawImage } from "./oracle/raw-image.js";
import { rawTar } from "./oracle/raw-tar.js";
import { leftovers } from "./oracle/root-leftovers.js";
import { type Ran, run } from "./oracle/run.js";
import { scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts");

const image = rawImage({ tag: "serve:1", layers: [rawTar([{ name: "file", content: "x" }])] });

/** The command on a root of its own, with the image in it. */
async function openRoot() {
  const place = await scratch();
  const root = join(place.path, "root");
  const layerkit = (...args: string[]) => run(process.execPath, [layerkitMain, "--root", root, ...args]);
  const archive = join(place.path, "image.tar");
  await writeFile(archive, image);
  return { path: place.path, root, layerkit, archive, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

/** A command that runs on; `said` resolves when its output matches. */
class Running implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = "";

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [layerkitMain, ...args]);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk) => {
        this.#output += chunk;
        this.#child.emit("said");
      });
  }

  async said(what: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = what.exec(this.#output);
      if (match) return match;
      const ended = this.#child.exitCode ?? this.#child.signalCode;
      if (ended !== null) throw new Error(`it ended with ${ended}: ${this.#output}`);
      await Promise.race([once(this.#child, "said"), once(this.#child, "exit")]);
    }
  }

  /** @returns its exit status, or the signal it died of */
  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return exitCode ?? signalCode;
    const ended = once(this.#child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    this.#child.kill(signal);
    const [status, killer] = await ended;
    return status ?? killer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}

async function mountsBelow(root: string): Promise<string[]> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
  return mounts.filter((path) => path.startsWith(`${root}/`));
}

const ok: Partial<Ran> = { status: 0, stderr: "" };

describe.skipIf(skip)("layerkit serve", () => {
  test("serves commands, listens on several sockets, and leaves nothing when told to stop", async () => {
    await using place = await openRoot();
    const sockets = ["a", "b"].map((name) => join(place.path, name));
    const hosts = sockets.flatMap((path) => ["-H", `unix://${path}`]);
    await using daemon = new Running(["--root", place.root, ...hosts, "serve"]);
    await daemon.said(/msg=ready/);
    expect((await stat(sockets[0] as string)).mode & 0o777).toBe(0o660);
    expect(await place.layerkit("load", "-i", place.archive)).toMatchObject({
      ...ok,
      stdout: "Loaded image: serve:1\n",
    });
    const other = run(process.execPath, [layerkitMain, "-H", `unix://${sockets[1]}`, "images", "-q"]);
    expect((await other).stdout).toMatch(/^[0-9a-f]{12}\n$/);
    const created = await place.layerkit("create", "--name", "c1", "serve:1", "x");
    expect(created).toMatchObject(ok);
    const mounted = await place.layerkit("mount", "c1");
    expect(await readFile(join(mounted.stdout.trim(), "file"), "utf8")).toBe("x");
    expect(await daemon.end("SIGTERM")).toBe(0);
    expect(await mountsBelow(place.root)).toEqual([]);
    expect(await readdir(place.path)).toEqual(["image.tar", "root"]);
    expect(await readdir(place.root)).not.toContain("layerkit.sock");
    expect(await leftovers(place.root)).toEqual([]);
  });

  test("a second one on the same root, or socket, is refused and says by whom", async () => {
    await using place = await openRoot();
    await using daemon = await Layerkitd.start(place.root);
    const again = await place.layerkit("-H", `unix://${join(place.path, "s")}`, "serve");
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining(`in use by process ${daemon.pid}`) });
    const elsewhere = ["--root", join(place.path, "other"), "-H", `unix://${daemon.socket}`, "serve"];
    const same = await run(process.execPath, [layerkitMain, ...elsewhere]);
    expect(same).toMatchObject({ status: 1, stderr: expect.stringContaining("another daemon does") });
    expect((await daemon.tryDocker(["images"])).status).toBe(0);
  });

  test("what kill -9 leaves is no obstacle: sockets are replaced, mounts are taken back", async () => {
    await using place = await openRoot();
    const socket = join(place.path, "s");
    const args = ["--root", place.root, "-H", `unix://${socket}`, "serve"];
    await using first = new Running(args);
    await first.said(/msg=ready/);
    await place.layerkit("load", "-i", place.archive);
    await place.layerkit("create", "--name", "c1", "serve:1", "x");
    await place.layerkit("mount", "c1");
    await first.end("SIGKILL");
    expect(await mountsBelow(place.root)).toHaveLength(1);
    await using second = new Running(args);
    await second.said(/msg=ready/);
    expect(await place.layerkit("rm", "c1")).toMatchObject(ok);
    expect(await second.end("SIGINT")).toBe(0);
    expect(await leftovers(place.root)).toEqual([]);
  });

  test("reads its settings from daemon.json, and refuses one it does not understand", async () => {
    await using place = await openRoot();
    const file = join(place.path, "daemon.json");
    const socket = join(place.path, "configured");
    const config = { "data-root": place.root, hosts: [`unix://${socket}`], "storage-driver": "vfs", debug: true };
    const registries = { "insecure-registries": ["registry.example:5000"], "max-concurrent-downloads": 1 };
    await writeFile(file, JSON.stringify({ ...config, ...registries }));
    await using daemon = new Running(["--config-file", file, "serve"]);
    await daemon.said(/msg=ready/);
    const info = await run(process.execPath, [layerkitMain, "--config-file", file, "info"]);
    expect(info.stdout).toContain("Storage Driver: vfs");
    expect(info.stdout).toContain("Insecure Registries:\n registry.example:5000\n 127.0.0.0/8\n");
    await daemon.said(/level=debug msg=request method=GET/);
    for (const [text, message] of [
      [
        '{"debig": true}',
        "line 1, column 2: the following directives don't match any configuration option: debig (did you mean debug?)",
      ],
      ['{"debug": "yes"}', "debug must be true or false"],
      ['{"max-download-attempts": 0}', "max-download-attempts must be a whole number from 1 on, not 0"],
      ["{", "line 1, column 2: expected a key in double quotes, found the end of the file"],
    ] as const) {
      await writeFile(file, text);
      const refused = await run(process.execPath, [layerkitMain, "--config-file", file, "images"]);
      expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining(message) });
      expect(refused.stderr.trim().split("\n")).toHaveLength(1);
    }
  });
});

describe.skipIf(skip)("a client that goes away", () => {
  test("in the middle of a load leaves nothing, and the daemon goes on", async () => {
    await using place = await openRoot();
    await using daemon = await Layerkitd.start(place.root);
    const big = rawTar([{ name: "big", content: Buffer.alloc(8 * 1024 * 1024, "big") }]);
    const archive = rawImage({ tag: "big:1", layers: [big, rawTar([{ name: "other", content: "y" }])] });
    for (const part of [100, 5_000, 1_000_000, archive.length - 3000]) {
      const upload = request({ socketPath: daemon.socket, method: "POST", path: "/images/load" });
      upload.on("error", () => {});
      const [answer] = await answeredAfter(upload, archive.subarray(0, part));
      answer.on("error", () => {});
      upload.destroy();
    }
    expect(await daemon.docker("images", "-aq")).toBe("");
    await daemon[Symbol.asyncDispose]();
    expect(await leftovers(place.root)).toEqual([]);
  });

  async function answeredAfter(upload: ReturnType<typeof request>, bytes: Uint8Array) {
    const answered = once(upload, "response");
    await new Promise((resolve) => upload.write(bytes, resolve));
    return await answered;
  }
});

describe.skipIf(skip)("without a daemon", () => {
  test("many commands at once all finish, whoever of them is the daemon", { timeout: 120_000 }, async () => {
    await using place = await openRoot();
    expect(await place.layerkit("load", "-i", place.archive)).toMatchObject(ok);
    const tags = Array.from({ length: 12 }, (_, i) => `tagged:${i}`);
    const ran = await Promise.all(tags.map((tag) => place.layerkit("tag", "serve:1", tag)));
    // The one that is the daemon says so when it has to stay for others.
    expect(
      ran.map(({ status, stderr }) => ({ status, stderr: stderr.replace(/^layerkit: done; staying .*\n/, "") })),
    ).toEqual(tags.map(() => ({ status: 0, stderr: "" })));
    const { stdout } = await place.layerkit("images", "--format", "json");
    expect(stdout.match(/"tagged"/g)).toHaveLength(tags.length);
    expect(await leftovers(place.root)).toEqual([]);
  });

  test("a command that is served by another's daemon keeps it until it is done", { timeout: 60_000 }, async () => {
    await using place = await openRoot();
    await place.layerkit("load", "-i", place.archive);
    await place.layerkit("create", "--name", "c1", "serve:1", "x");
    await using owner = new Running(["--root", place.root, "events"]);
    while ((await ownerOf(place.root))?.socket === undefined) await setImmediate();
    await using guest = new Running(["--root", place.root, "mount", "c1"]);
    const [path = ""] = await guest.said(/^\/.*merged$/m);
    const ended = owner.end("SIGINT");
    await owner.said(/staying for other commands/);
    expect(await readFile(join(path, "file"), "utf8")).toBe("x");
    expect(await guest.end("SIGINT")).toBe(0);
    expect(await ended).toBe("SIGINT");
    expect(await mountsBelow(place.root)).toEqual([]);
  });

  test("interrupted in the middle of a load it leaves nothing", async () => {
    await using place = await openRoot();
    const pipe = join(place.path, "pipe");
    expect(await run("mkfifo", [pipe])).toMatchObject(ok);
    await using load = new Running(["--root", place.root, "load", "-i", pipe]);
    const half = createWriteStream(pipe);
    await new Promise((resolve) => half.write(image.subarray(0, 1000), resolve));
    await using other = new Running(["--root", place.root, "events"]);
    expect(await load.end("SIGINT")).toBe("SIGINT");
    half.destroy();
    await other.end("SIGINT");
    expect(await place.layerkit("images", "-aq")).toMatchObject({ ...ok, stdout: "" });
    expect(await leftovers(place.root)).toEqual([]);
  });
});

import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { mediaTypes } from "../../src/spec/index.js";
import { BadRegistry } from "../oracle/bad-registry.js";
import { call, Refused } from "../oracle/engine-call.js";
import { configOf } from "../oracle/image-stores.js";
import { Layerkitd } from "../oracle/layerkitd.js";
import {
  answers,
  cutsAfter,
  type Fault,
  floods,
  garbles,
  ignoresRange,
  isSilent,
  redirects,
  saysLength,
  stallsAfter,
} from "../oracle/registry-faults.js";
import { scratch } from "../oracle/scratch.js";
import { difference, inventory } from "./inventory.js";
import { archiveOf, loadable, oneOf } from "./materials.js";
import { type Bounds, type Outcome, playRounds } from "./rounds.js";

const impatient = fileURLToPath(new URL("./impatient.js", import.meta.url));
/** More than a daemon holds that keeps nothing whole. */
const mostMemory = 300e6;

/**
 * Pulls from a registry that does wrong in ways that chance decides. The image comes and is whole, or the pull ends in
 * one line and leaves nothing but layers that are whole; the registry being well again, the same pull works.
 */
export async function playBadRegistries(bounds: Bounds): Promise<Outcome> {
  await using place = await scratch("/dev/shm");
  const root = join(place.path, "root");
  await using daemon = await Layerkitd.launch(root, [], impatient);
  if (!(await daemon.ready)) throw new Error(`the daemon does not start: ${daemon.log}`);
  await call(daemon.socket, "/images/load?quiet=1", { method: "POST", body: archiveOf(loadable(0), "base:1") });
  const outcome = await playRounds("bad registry", bounds, (number) => new Round(daemon.socket, root, number).play());
  const peak = await peakOf(daemon.pid);
  console.log(`bad registry: peak memory of the daemon ${Math.round(peak / 1e6)} MB`);
  return peak < mostMemory ? outcome : { ...outcome, losses: [...outcome.losses, `the daemon took ${peak} bytes`] };
}

class Round {
  readonly #socket: string;
  readonly #root: string;
  readonly #number: number;

  constructor(socket: string, root: string, number: number) {
    this.#socket = socket;
    this.#root = root;
    this.#number = number;
  }

  async play(): Promise<Outcome> {
    const before = await inventory(this.#root);
    const { layers, id } = loadable(this.#number);
    await using bad = await BadRegistry.start();
    bad.addImage("app:1", layers);
    const told = spoil(bad, layers);
    const wrong = await this.#attempt(bad.host);
    await using good = await BadRegistry.start();
    good.addImage("app:1", layers);
    // Half of the time from what the pull that failed has kept.
    if (randomInt(2) === 0) await this.#expectBefore(before, wrong);
    await this.#pull(good.host);
    const { Id } = JSON.parse(await call(this.#socket, `/images/${good.host}/app:1/json`)) as { Id: string };
    if (Id !== id) wrong.push(`the image is ${Id}, should be ${id}`);
    await call(this.#socket, `/images/${good.host}/app:1`, { method: "DELETE" });
    await this.#expectBefore(before, wrong);
    return { losses: wrong.map((line) => `${told.join(", ")}: ${line}`), operations: 2 };
  }

  /** @returns what was wrong with how it ended */
  async #attempt(host: string): Promise<string[]> {
    const hangUp = randomInt(6) === 0 ? AbortSignal.timeout(randomInt(1, 200)) : undefined;
    try {
      await this.#pull(host, hangUp);
      await call(this.#socket, `/images/${host}/app:1`, { method: "DELETE" });
      return [];
    } catch (error) {
      const isClear = error instanceof Refused && /^.{10,500}$/.test(error.message);
      return hangUp?.aborted || isClear ? [] : [`${error}`];
    }
  }

  async #pull(host: string, signal?: AbortSignal): Promise<void> {
    const path = `/images/create?fromImage=${host}/app&tag=1`;
    await call(this.#socket, path, { method: "POST", ...(signal && { signal }) });
  }

  /** Layers that are kept for the next try go with a prune. Who has hung up is not told when all is put away. */
  async #expectBefore(before: readonly string[], wrong: string[]): Promise<void> {
    let strays: string[] = [];
    for (let tries = 0; tries < 40; tries++) {
      await call(this.#socket, "/images/prune", { method: "POST" });
      strays = difference(before, await inventory(this.#root));
      if (strays.length === 0) return;
      await delay(50);
    }
    wrong.push(...strays);
  }
}

/** Has some requests go wrong, or puts a wrong image there. @returns what it has done */
function spoil(bad: BadRegistry, layers: readonly Buffer[]): string[] {
  if (randomInt(4) === 0) {
    const [name, make] = oneOf(Object.entries(wrongImages)) as [string, (typeof wrongImages)[string]];
    make(bad, layers);
    return [name];
  }
  return Array.from({ length: randomInt(1, 6) }, () => {
    const [what, like] = oneOf(requests) as (typeof requests)[number];
    const [name, fault] = oneOf(faults(bad)) as [string, Fault];
    if (randomInt(3) === 0) bad.alwaysMisbehave(like, fault);
    else bad.misbehave(like, ...Array.from({ length: randomInt(1, 4) }, () => fault));
    return `${what} ${name}`;
  });
}

const requests = [
  ["all", /./],
  ["manifests", /\/manifests\//],
  ["blobs", /\/blobs\//],
  ["every other blob", /\/blobs\/sha256:[02468ace]/],
] as const;

function faults(bad: BadRegistry): [string, Fault][] {
  const [some, few] = [randomInt(300_000), randomInt(2000)];
  return [
    [`cut after ${some}`, cutsAfter(some)],
    [`cut after ${few}`, cutsAfter(few)],
    [`stalled after ${some}`, stallsAfter(some)],
    ["silent", isSilent],
    ["without ranges", ignoresRange],
    ["garbled", garbles],
    [`of length ${few}`, saysLength(few)],
    ["without end", floods({})],
    ["of 100 GB", floods({ "content-length": String(100e9) })],
    ["429", answers(429, { "retry-after": "1" })],
    ["500", answers(500, {}, "<html>\n<h1>Oops</h1>\n</html>")],
    ["502", answers(502)],
    ["404", answers(404, {}, '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no\\nsuch"}]}')],
    ["401", answers(401, { "www-authenticate": `Bearer realm="http://${bad.host}/token",service="x"` })],
    ["403", answers(403)],
    ["nothing", answers(200)],
    ["redirected in circles", redirects("/v2/app/manifests/1")],
    ["redirected to nobody", redirects("http://127.0.0.1:1/")],
    ["redirected to nonsense", redirects("http://[")],
  ];
}

/** Images that are wrong in themselves, by right digests. */
const wrongImages: Readonly<Record<string, (bad: BadRegistry, layers: readonly Buffer[]) => void>> = {
  "a truncated gzip": (bad, layers) => {
    const whole = layers.map((layer) => gzipSync(layer));
    const at = randomInt(whole.length);
    bad.addImage(
      "app:1",
      layers,
      whole.map((blob, i) => (i === at ? blob.subarray(0, randomInt(blob.length)) : blob)),
    );
  },
  "a layer of another image": (bad, layers) => {
    const blobs = [...layers.slice(0, -1), Buffer.from("no tar at all")].map((layer) => gzipSync(layer));
    bad.addImage("app:1", layers, blobs);
  },
  "a manifest of 100 MB": (bad) => bad.addManifest("app:1", Buffer.alloc(100e6, " ")),
  "no manifest": (bad) => bad.addManifest("app:1", Buffer.from("\0\n\nnonsense")),
  "a layer too few": (bad, layers) => {
    const config = bad.addBlob(configOf(layers), mediaTypes.dockerConfig);
    const blobs = layers.slice(1).map((layer) => bad.addBlob(gzipSync(layer)));
    bad.addManifest("app:1", { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config, layers: blobs });
  },
  "a size that is too small": (bad, layers) => {
    const config = bad.addBlob(configOf(layers), mediaTypes.dockerConfig);
    const blobs = layers.map((layer) => ({ ...bad.addBlob(gzipSync(layer)), size: 100 }));
    bad.addManifest("app:1", { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config, layers: blobs });
  },
};

async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

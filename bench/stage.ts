import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Undo } from "../src/spec/index.js";
import { find } from "../test/oracle/programs.js";
import { Registry } from "../test/oracle/registry.js";
import { output } from "../test/oracle/run.js";
import { loopDisk, scratch } from "../test/oracle/scratch.js";
import { type Contender, startDockerd, startLayerkit } from "./contenders.js";
import { CrowdedRoot } from "./crowded-root.js";
import type { Options } from "./options.js";
import { startContainerd, startPodman, startUmoci } from "./peers.js";
import { type Image, layOut, packedImage, packedThrice } from "./reference-image.js";
import { containerTars, type Work, works } from "./work.js";

/** Everything that measuring needs. */
export interface Stage {
  /** Where all contenders keep their data: one XFS in memory. */
  readonly disk: string;
  readonly image: Image;
  /** The first is ours. */
  readonly contenders: readonly Contender[];
  readonly works: readonly Work[];
}

/** @param undo gets what has to be taken down */
export async function setStage(options: Options, undo: Undo): Promise<Stage> {
  const use = <T extends AsyncDisposable>(part: T): T => {
    undo.defer(() => part[Symbol.asyncDispose]());
    return part;
  };
  const isLarge = options.works.includes("large");
  const size = isLarge ? 12 : 6;
  mustHaveMemory((size + 4) * 2 ** 30);
  const memory = use(await scratch("/dev/shm"));
  process.env.TMPDIR = memory.path; // for whoever is started from now on
  const image = await layOut(memory.path);
  const tars = await containerTars(memory.path);
  const disk = use(await loopDisk("xfs", `${size}G`, [], { touched: true }));
  const registry = use(await Registry.start());
  const upload = async (layout: string, name: string) => {
    const to = `docker://${registry.host}/${name}:latest`;
    await output("skopeo", ["copy", "-q", "--dest-tls-verify=false", `oci:${layout}:latest`, to]);
  };
  const crowded = new CrowdedRoot(join(disk.path, "crowded"), memory.path);
  const chosen = works({ host: registry.host, archive: image.archive, ...tars, crowded }).filter(
    ({ name, onlyIfNamed }) => (options.works.length === 0 ? !onlyIfNamed : options.works.includes(name)),
  );
  await upload(await packedImage(), "reference");
  if (isLarge) await upload(await packedThrice(), "large");
  const contenders: Contender[] = [];
  for (const [name, start] of installed(options.contenders)) contenders.push(use(await start(join(disk.path, name))));
  return { disk: disk.path, image, contenders, works: chosen };
}

/** Those who are wanted and can take part; of the others it is said what they miss. */
function installed(wanted: Options["contenders"]): [name: string, start: Start][] {
  return everybody.flatMap(([name, needs, start]) => {
    if (wanted !== undefined && !wanted.includes(name)) return [];
    const missing = needs.find((program) => find(program) === undefined);
    if (missing !== undefined) console.log(`without ${name}: no ${missing} here`);
    return missing === undefined ? [[name, start]] : [];
  });
}

/** Everything is in memory; the machine's other work is not to end for the want of it. */
function mustHaveMemory(bytes: number): void {
  const available = Number(/^MemAvailable:\s*(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024;
  const giga = (count: number) => `${Math.round(count / 2 ** 30)} GiB`;
  if (available < bytes) throw new Error(`bench needs ${giga(bytes)} of memory, ${giga(available)} are free`);
}

type Start = (directory: string) => Promise<Contender>;

const everybody: readonly [name: string, needs: readonly string[], start: Start][] = [
  ["layerkit", [], startLayerkit],
  ["dockerd", ["dockerd"], startDockerd],
  ["containerd", ["containerd", "ctr"], startContainerd],
  ["podman", ["podman"], startPodman],
  ["umoci", ["umoci", "skopeo"], startUmoci],
];

import { randomInt } from "node:crypto";
import { rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { BadRegistry } from "../oracle/bad-registry.js";
import { call, Refused } from "../oracle/engine-call.js";
import { Layerkitd } from "../oracle/layerkitd.js";
import { output } from "../oracle/run.js";
import { loopDisk } from "../oracle/scratch.js";
import { anyDriver } from "./disaster.js";
import { difference, inventory } from "./inventory.js";
import { archiveOf, loadable, newFiles, oneOf } from "./materials.js";
import { type Bounds, type Outcome, playRounds } from "./rounds.js";

type DiskType = "ext4" | "xfs";

/**
 * Fills the disk up to a remainder that chance decides, and has the daemon do something, and undo it: it works, or ends
 * in one line that says why and leaves everything as it was. With space again the same works, in the same daemon.
 */
export async function playFullDisks(bounds: Bounds, types: readonly DiskType[] = ["ext4", "xfs"]): Promise<Outcome> {
  const each = { ...bounds, rounds: Math.ceil(bounds.rounds / types.length) };
  const outcomes: Outcome[] = [];
  for (const type of types) outcomes.push(await playOn(type, each));
  const operations = outcomes.reduce((sum, outcome) => sum + outcome.operations, 0);
  return { losses: outcomes.flatMap(({ losses }) => losses), operations };
}

async function playOn(type: DiskType, bounds: Bounds): Promise<Outcome> {
  await using disk = await loopDisk(type, "400M", type === "ext4" ? ["-m", "0"] : []);
  const root = join(disk.path, "root");
  await using registry = await BadRegistry.start();
  await using daemon = await Layerkitd.start(root, ["--storage-driver", anyDriver()]);
  await call(daemon.socket, "/images/load?quiet=1", { method: "POST", body: archiveOf(loadable(0), "base:1") });
  // From its first tag on, the time of the last one is kept.
  await call(daemon.socket, "/images/base:1/tag?repo=base&tag=2", { method: "POST" });
  const container = { method: "POST", body: { Image: "base:1", Cmd: ["sh"] } };
  await call(daemon.socket, "/containers/create?name=changed", container);
  await call(daemon.socket, "/containers/changed/archive?path=/", { method: "PUT", body: newFiles() });
  return await playRounds(`full ${type}`, bounds, (number) =>
    round(daemon.socket, disk.path, operation(number, registry)),
  );
}

interface Request {
  readonly method: "POST" | "DELETE";
  readonly path: string;
  readonly body?: Buffer | object;
  /** There is always space for it. */
  readonly frees?: boolean;
}

/** Something to do, and what makes it undone. */
type Operation = readonly [run: Request, undo: Request];

const deleteImage = deletion("new:1");
const deleteContainer: Request = { method: "DELETE", path: "/containers/new?force=1", frees: true };

function post(path: string, body?: Buffer | object): Request {
  return { method: "POST", path, ...(body && { body }) };
}

function deletion(image: string): Request {
  return { method: "DELETE", path: `/images/${image}` };
}

function operation(number: number, registry: BadRegistry): Operation {
  const pulled = `${registry.host}/new:1`;
  // Upon others than the ones that are there, and one of them twice.
  const [bottom, middle, upper, top] = loadable(number).layers as [Buffer, Buffer, Buffer, Buffer];
  registry.addImage("new:1", [top, middle, bottom, upper, middle]);
  return oneOf<Operation>([
    [post("/images/load?quiet=1", archiveOf(loadable(number), "new:1")), deleteImage],
    [post(`/images/create?fromImage=${pulled}`), deletion(pulled)],
    [post("/images/create?fromSrc=-&repo=new&tag=1", newFiles()), deleteImage],
    [post("/containers/create?name=new", { Image: "base:1", Cmd: ["sh"] }), deleteContainer],
    [post("/commit?container=changed&repo=new&tag=1"), deleteImage],
    [post("/images/base:1/tag?repo=new&tag=1"), deleteImage],
  ]) as Operation;
}

async function round(socket: string, disk: string, [run, undo]: Operation): Promise<Outcome> {
  const before = await inventory(join(disk, "root"));
  const losses = [...(await attempt(socket, disk, run)), ...(await attempt(socket, disk, undo))];
  const strays = difference(before, await inventory(join(disk, "root")));
  return { losses: [...losses, ...strays.map((line) => `${run.path}, undone: ${line}`)], operations: 2 };
}

/** With a disk that is almost full, and again with space if need be. @returns what was wrong with how it failed */
async function attempt(socket: string, disk: string, { path, frees, ...request }: Request): Promise<string[]> {
  const before = await inventory(join(disk, "root"));
  const left = await fill(disk);
  try {
    await call(socket, path, request);
    return [];
  } catch (error) {
    const wrong = difference(before, await inventory(join(disk, "root")));
    if (frees || !isClear(error)) wrong.push(String(error));
    await rm(join(disk, "filler"));
    await call(socket, path, request);
    return wrong.map((line) => `${path} with ${left} bytes left: ${line}`);
  } finally {
    await rm(join(disk, "filler"), { force: true });
  }
}

/** One line that says why, and where: a path, or an entry of a layer. */
function isClear(failure: unknown): boolean {
  return failure instanceof Refused && /^.*no space left.*$/.test(failure.message) && /['"/]/.test(failure.message);
}

/** Leaves no more than the remainder, in most rounds less than what an operation needs. @returns bytes left */
async function fill(disk: string): Promise<number> {
  const filler = join(disk, "filler");
  const remainder = randomInt(8) === 0 ? 0 : Math.floor(2 ** (12 + Math.random() * 11));
  const { bavail, bsize } = await statfs(disk);
  for (let size = bavail * bsize - remainder; size > 0; size -= 1 << 20) {
    const filled = await output("fallocate", ["-l", String(size), filler]).catch(() => undefined);
    if (filled !== undefined) break;
  }
  const left = await statfs(disk);
  return left.bavail * left.bsize;
}

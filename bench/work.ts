import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { call } from "../test/oracle/engine-call.js";
import { output } from "../test/oracle/run.js";

/** One thing to measure, done against any engine; `prepare` is not measured, nor is what it returns to be undone. */
export interface Work {
  readonly name: string;
  readonly prepare?: (socket: string) => Promise<void>;
  readonly run: (socket: string) => Promise<void>;
  readonly after?: (socket: string) => Promise<void>;
}

const image = "layerkit/reference:latest";

/** In the order they have to be done: the image is there after the first. */
export function works(files: { archive: string; changes: string; data: string }): Work[] {
  return [
    { name: "load, 6 layers", run: (socket) => load(socket, files.archive) },
    { name: "load, all layers known", run: (socket) => load(socket, files.archive) },
    { name: "save", run: (socket) => save(socket) },
    {
      name: "diff, 2,000 changes",
      prepare: (socket) => createWith(socket, "changed", files.changes),
      run: async (socket) => void (await call(socket, "/containers/changed/changes")),
      after: (socket) => remove(socket, "changed"),
    },
    {
      name: "commit, 200 MB in 2,000 files",
      prepare: (socket) => createWith(socket, "filled", files.data),
      run: async (socket) => void (await call(socket, "/commit?container=filled&repo=committed", { method: "POST" })),
      after: async (socket) => {
        await remove(socket, "filled");
        await call(socket, "/images/committed:latest", { method: "DELETE" });
      },
    },
    { name: "create + rm, 20 times", run: createAndRemove },
    {
      name: "rmi",
      run: async (socket) => void (await call(socket, `/images/${image}`, { method: "DELETE" })),
    },
  ];
}

async function load(socket: string, archive: string): Promise<void> {
  await call(socket, "/images/load?quiet=1", {
    method: "POST",
    body: createReadStream(archive, { highWaterMark: 1 << 20 }),
  });
}

async function save(socket: string): Promise<void> {
  await call(socket, `/images/${image}/get`, { to: createWriteStream("/dev/null") });
}

async function create(socket: string, name: string): Promise<void> {
  await call(socket, `/containers/create?name=${name}`, { method: "POST", body: { Image: image, Cmd: ["/bin/true"] } });
}

async function createWith(socket: string, name: string, tar: string): Promise<void> {
  await create(socket, name);
  await call(socket, `/containers/${name}/archive?path=/`, { method: "PUT", body: createReadStream(tar) });
}

async function remove(socket: string, name: string): Promise<void> {
  await call(socket, `/containers/${name}?force=1`, { method: "DELETE" });
}

async function createAndRemove(socket: string): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await create(socket, `short-${i}`);
    await remove(socket, `short-${i}`);
  }
}

/** Tars that `docker cp` puts into containers: 2,000 small files over those of the image, and 200 MB in 2,000 files. */
export async function containerTars(directory: string): Promise<{ changes: string; data: string }> {
  const name = (i: number) => `srv/app/modules/group-${i % 50}/module-${i}`;
  const changes = await tarOfFiles(join(directory, "changes.tar"), 2000, (i) => `${name(i)}/file-5.js`, 500);
  const data = await tarOfFiles(join(directory, "data.tar"), 2000, (i) => `srv/new/${i % 50}/data-${i}`, 100_000);
  return { changes, data };
}

async function tarOfFiles(tar: string, count: number, path: (i: number) => string, size: number): Promise<string> {
  const tree = await mkdtemp(`${tar}-`);
  for (let i = 0; i < count; i++) {
    const file = join(tree, path(i));
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, Buffer.alloc(size, `${i} some text that repeats `));
  }
  await output("tar", ["-C", tree, "-cf", tar, "."]);
  await rm(tree, { recursive: true });
  return tar;
}

import { createReadStream } from "node:fs";
import type * as layerkit from "../../src/index.js";

/** The library as it is shipped: as compiled it is hundreds of modules, and strace makes reading them slow. */
const { open }: typeof layerkit = await import(new URL("../../bundle/esm/index.js", import.meta.url).href);

/**
 * One operation on a data root, in a process that is there to be killed: `node victim.js ROOT OPERATION [WHAT]`, a file
 * to load or a name to pull.
 * Prints `ready` when the root is open, and `done` when the operation has been acknowledged.
 */
const [root = "", operation = "", what = ""] = process.argv.slice(2);

const operations: Readonly<Record<string, (engine: layerkit.DataRoot) => Promise<unknown>>> = {
  load: (engine) => finished(engine.images.load(createReadStream(what))),
  pull: (engine) => finished(engine.images.pull(what)),
  create: (engine) => engine.containers.create({ Image: "base:1", Cmd: ["sh"] }, { name: "new" }),
  commit: (engine) => engine.containers.commit("changed", { repo: "committed", tag: "1" }),
  rm: (engine) => engine.containers.remove("changed"),
  rmi: (engine) => engine.images.remove("unused:1"),
};

/** Work goes on as messages are read. */
async function finished(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}

await using engine = await open({ root });
const run = operations[operation];
if (run === undefined) throw new Error(`no operation ${operation}`);
console.log("ready");
await run(engine);
console.log("done");

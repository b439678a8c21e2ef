import { createReadStream } from "node:fs";
import { Engine } from "../../src/engine/index.js";

/**
 * One operation on a data root, in a process that is there to be killed: `node victim.js ROOT OPERATION [FILE]`.
 * Prints `ready` when the root is open, and `done` when the operation has been acknowledged.
 */
const [root = "", operation = "", archive = ""] = process.argv.slice(2);

const operations: Readonly<Record<string, (engine: Engine) => Promise<unknown>>> = {
  load: async (engine) => {
    for await (const _ of engine.images.load(createReadStream(archive))) {
      // Loading goes on as messages are read.
    }
  },
  create: (engine) => engine.containers.create({ Image: "base:1", Cmd: ["sh"] }, { name: "new" }),
  commit: (engine) => engine.containers.commit("changed", { repo: "committed", tag: "1" }),
  rm: (engine) => engine.containers.remove("changed"),
  rmi: (engine) => engine.images.remove("unused:1"),
};

await using engine = await Engine.open({ root });
const run = operations[operation];
if (run === undefined) throw new Error(`no operation ${operation}`);
console.log("ready");
await run(engine);
console.log("done");

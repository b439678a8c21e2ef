import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDriver } from "../driver/index.js";
import { Undo } from "../spec/index.js";
import type { Layer } from "./layer.js";
import { LayerStore } from "./layer-store.js";
import { file, streamOf, tarBytes } from "./store.test.tools.js";

/**
 * Registers, releases, creates, commits and removes until it is killed, saying on standard output what it has done
 * (`has ID`) and what it is about to take back (`drops ID`).
 */
const [, , root = "", name = ""] = process.argv;
const driver = await openDriver(name, root);
const store = await LayerStore.open({ root: join(root, "image", name), driver, writable: true });
const say = (line: string) => writeFileSync(1, `${line}\n`);
say("ready");

async function work(lane: number): Promise<void> {
  for (let turn = 0; ; turn++) {
    const seed = `${process.pid}-${lane}-${turn}`;
    const chain = await makeChain(seed);
    const below = chain.at(-1)!;
    for (const { chainID } of chain) say(`has ${chainID}`);
    await store.rw.create(seed, { parent: below.chainID, init: true });
    say(`has ${seed}`);
    {
      await using mounted = await store.rw.mount(seed);
      writeFileSync(join(mounted.path, "written"), seed);
    }
    const above = await store.rw.commit(seed);
    if (!above) throw new Error("nothing to commit");
    say(`has ${above.chainID}`);
    if (turn % 3 === 0) continue;
    say(`drops ${seed}`);
    await store.rw.remove(seed);
    if (turn % 3 === 1) continue;
    say(`drops ${above.chainID}`);
    await store.release(above.chainID);
    for (const { chainID } of chain) say(`drops ${chainID}`);
    await store.release(below.chainID);
  }
}

/** Three layers placed at once, where the driver can do that; else one registered. */
async function makeChain(seed: string): Promise<Layer[]> {
  const tars = ["a", "b", "c"].map((layer) => {
    const members = Array.from({ length: 40 }, (_, index) => file(`${seed}/${layer}/${index}`, seed.repeat(200)));
    return streamOf(tarBytes(members));
  });
  if (!store.canUnpack) return [await store.register(tars[0]!, { label: seed })];
  await using undo = new Undo();
  const unpack = async (tar: AsyncIterable<Uint8Array>) => {
    const loose = await store.unpack(tar, { label: seed });
    undo.defer(() => loose[Symbol.asyncDispose]());
    return loose;
  };
  return await store.place(await Promise.all(tars.map(unpack)));
}

await Promise.all([work(1), work(2)]);

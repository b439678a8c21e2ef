import { join } from "node:path";
import { parseDigest } from "../../spec/index.js";
import { nodesIn, readFact, textOf } from "./fact.js";
import type { Unreadable } from "./root-state.js";

/** What in `distribution`, a cache, is not as Docker writes it. @param dir `image/DRIVER/distribution` */
export function* readDistribution(dir: string): Generator<Unreadable> {
  yield* wrongIn(join(dir, "diffid-by-digest", "sha256"), (text) => void parseDigest(text));
  yield* wrongIn(join(dir, "v2metadata-by-diffid", "sha256"), (text) => {
    if (!Array.isArray(JSON.parse(text))) throw new Error("no list");
  });
}

function* wrongIn(dir: string, parse: (text: string) => void): Generator<Unreadable> {
  for (const [name, { kind }] of nodesIn(dir)) {
    const path = join(dir, name);
    if (kind !== "file" || !/^[0-9a-f]{64}$/.test(name)) {
      yield { path, problem: "it is nothing that belongs there" };
      continue;
    }
    const text = textOf(readFact(path)) ?? "";
    try {
      parse(text);
    } catch {
      yield { path, problem: text === "" ? "it is empty" : "it is not what dockerd writes" };
    }
  }
}

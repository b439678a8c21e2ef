import { rm } from "node:fs/promises";
import { layerkitMain } from "../test/oracle/layerkitd.js";
import { output } from "../test/oracle/run.js";
import { type Contender, startDockerd, startLayerkit } from "./contenders.js";
import type { CrowdedRoot } from "./crowded-root.js";
import { ask, docker, repeatedly } from "./requests.js";
import type { Work } from "./work.js";

/**
 * What takes how much of a root, told in each way that there is, beside dockerd on the same root. Each opens it in its
 * turn, and is asked once before what is measured.
 */
export function usageWorks(root: CrowdedRoot): Work[] {
  const atRest = new Asking(root, systemDf, { atRest: true });
  const first = new Asking(root, systemDf, { atRest: true, first: true });
  return [
    first.as("df, layerkit at rest, first time", 1),
    atRest.as("df, layerkit at rest, 10 times"),
    new Asking(root, systemDf).as("df, docker command, 10 times"),
    new Asking(root, (of) => ask(of, "/system/df")).as("df, GET /system/df, 10 times"),
    new Asking(root, (of) => ask(of, of.name === "layerkit" ? "/layerkit/df" : "/system/df")).as(
      "df, GET /layerkit/df, 10 times",
    ),
  ];
}

function systemDf(of: Contender): Promise<unknown> {
  return docker(of, "system", "df");
}

interface How {
  /** `layerkit df` is run, with no daemon on the root. */
  readonly atRest?: boolean;
  /** Nothing is remembered. */
  readonly first?: boolean;
}

class Asking {
  readonly #root: CrowdedRoot;
  readonly #ask: (of: Contender) => Promise<unknown>;
  readonly #how: How;
  #daemon: Contender | undefined;

  constructor(root: CrowdedRoot, ask: (of: Contender) => Promise<unknown>, how: How = {}) {
    this.#root = root;
    this.#ask = ask;
    this.#how = how;
  }

  as(title: string, times = 10): Work {
    return {
      ...{ name: "df", title, by: ["layerkit", "dockerd"] },
      enter: () => this.#root.ready(),
      prepare: ({ name }) => this.#begin(name),
      run: () => repeatedly(times, () => this.#once()),
      after: () => this.#end(),
      pids: async () => (await this.#daemon?.pids()) ?? [],
    };
  }

  async #begin(name: string): Promise<void> {
    if (name === "dockerd") this.#daemon = await startDockerd(this.#root.path);
    else if (!this.#how.atRest) this.#daemon = await startLayerkit(this.#root.path);
    await this.#once();
    if (this.#how.first) await rm(this.#root.cache, { recursive: true });
  }

  async #once(): Promise<void> {
    if (this.#daemon) await this.#ask(this.#daemon);
    else await output(process.execPath, [layerkitMain, "--root", this.#root.path, "df"], this.#environment);
  }

  get #environment() {
    return { env: { XDG_CACHE_HOME: this.#root.cache } };
  }

  async #end(): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]();
    this.#daemon = undefined;
  }
}

import { createReadStream } from "node:fs";
import { join } from "node:path";
import { dockerEnvironment } from "../test/oracle/dockerd.js";
import { call } from "../test/oracle/engine-call.js";
import { Registry } from "../test/oracle/registry.js";
import { output } from "../test/oracle/run.js";
import { type Contender, noAuth } from "./contenders.js";
import type { CrowdedRoot } from "./crowded-root.js";
import { ask, docker, repeatedly } from "./requests.js";
import { tarOfFiles } from "./tar-of-files.js";
import { usageWorks } from "./usage-work.js";

/** One thing to measure: `run`. What comes before and after is not measured. */
export interface Work {
  /** As it is chosen on the command line; several may have one. */
  readonly name: string;
  /** Its own. */
  readonly title: string;
  /** Those who can only pull can do it too. */
  readonly byPulling?: boolean;
  /** Takes long to prepare. */
  readonly onlyIfNamed?: boolean;
  /** The names of those who can do it, where not all are who have a Docker Engine API. */
  readonly by?: readonly string[];
  /** The processes whose memory is told, where it is not the contender's daemon. */
  readonly pids?: () => Promise<number[]>;
  /** Brings the image there, or takes it away. */
  readonly enter: (contender: Contender) => Promise<void>;
  readonly prepare?: (contender: Contender) => Promise<void>;
  readonly run: (contender: Contender) => Promise<void>;
  readonly after?: (contender: Contender) => Promise<void>;
}

/** What works are done with. */
export interface Material {
  /** A registry that has `reference` and `large`. */
  readonly host: string;
  /** `layerkit/reference`, the same image, as a docker archive. */
  readonly archive: string;
  /** For containers: 2,000 small files over those of the image, and 200 MB in 2,000 files. */
  readonly changes: string;
  readonly data: string;
  /** A data root with many layers and containers. */
  readonly crowded: CrowdedRoot;
}

export function works({ host, archive, changes, data, crowded }: Material): Work[] {
  const reference = `${host}/reference:latest`;
  const large = `${host}/large:latest`;
  const pull = (contender: Contender) => contender.pull(reference);
  const present = { enter: pull };
  const absent = {
    enter: async (contender: Contender) => {
      for (const image of [large, reference, loaded]) await contender.remove(image);
    },
  };
  const local = { enter: (contender: Contender) => load(contender, archive) };
  const uploads = new Uploads(loaded);
  return [
    { name: "pull", title: "pull, 6 layers, gzip", ...absent, byPulling: true, run: pull },
    { name: "pulled", title: "pull, every layer exists", ...present, byPulling: true, run: pull },
    {
      ...{ name: "large", title: "pull, three times as large", onlyIfNamed: true },
      ...absent,
      byPulling: true,
      run: (to) => to.pull(large),
      after: (to) => to.remove(large),
    },
    { name: "load", title: "load, docker archive", ...absent, run: (to) => load(to, archive) },
    { name: "loaded", title: "load, every layer exists", ...local, run: (to) => load(to, archive) },
    { name: "save", title: "save", ...local, run: (from) => save(from, loaded) },
    { name: "push", title: "push, empty registry", ...local, ...uploads.toEmpty() },
    { name: "pushed", title: "push, every layer exists", ...local, ...uploads.again() },
    {
      name: "diff",
      title: "diff, 2,000 changes",
      ...local,
      prepare: (on) => createWith(on, "changed", loaded, changes),
      run: async (on) => void (await ask(on, "/containers/changed/changes")),
      after: (on) => removeContainer(on, "changed"),
    },
    {
      name: "commit",
      title: "commit, 200 MB in 2,000 files",
      ...local,
      prepare: (on) => createWith(on, "filled", loaded, data),
      run: async (on) => void (await ask(on, "/commit?container=filled&repo=committed", "POST")),
      after: async (on) => {
        await removeContainer(on, "filled");
        await on.remove("committed:latest");
      },
    },
    { name: "create", title: "create + rm, 20 times", ...local, run: (on) => createAndRemove(on, loaded) },
    {
      name: "run",
      title: "run --rm … true, 20 times",
      ...local,
      run: (on) => repeatedly(20, () => docker(on, "run", "--rm", "--network", "none", loaded, "/bin/true")),
    },
    {
      name: "exec",
      title: "exec … true, 20 times",
      ...local,
      prepare: (on) => startIdle(on, "idle-0"),
      run: (on) => repeatedly(20, () => docker(on, "exec", "idle-0", "/bin/true")),
      after: (on) => removeContainer(on, "idle-0"),
    },
    {
      name: "rmi",
      title: "rmi",
      enter: async (on) => {
        await absent.enter(on);
        await load(on, archive);
      },
      run: (on) => on.remove(loaded),
    },
    ...usageWorks(crowded),
  ];
}

/** Starts a container that does nothing. */
export async function startIdle(on: Contender, name: string): Promise<void> {
  await docker(on, "run", "--detach", "--network", "none", "--name", name, loaded, "/bin/sleep", "infinity");
}

/** As the archive names it. */
const loaded = "layerkit/reference:latest";

function load(on: Contender, archive: string): Promise<void> {
  return docker(on, "load", "--quiet", "--input", archive);
}

async function save({ socket = "" }: Contender, reference: string): Promise<void> {
  const script = 'exec docker --host "$0" save "$1" >/dev/null';
  await output("sh", ["-c", script, `unix://${socket}`, reference], dockerEnvironment);
}

async function create(on: Contender, name: string, Image: string): Promise<void> {
  await ask(on, `/containers/create?name=${name}`, "POST", { Image, Cmd: ["/bin/true"] });
}

async function createWith(on: Contender, name: string, image: string, tar: string): Promise<void> {
  await create(on, name, image);
  await ask(on, `/containers/${name}/archive?path=/`, "PUT", createReadStream(tar));
}

export async function removeContainer(on: Contender, name: string): Promise<void> {
  await ask(on, `/containers/${name}?force=1`, "DELETE");
}

async function createAndRemove(on: Contender, image: string): Promise<void> {
  await repeatedly(20, async () => {
    await create(on, "short", image);
    await removeContainer(on, "short");
  });
}

/** Pushes to a registry that has been started for it: one that holds a layer already is not sent it again. */
class Uploads {
  readonly #reference: string;
  #registry: Registry | undefined;

  constructor(reference: string) {
    this.#reference = reference;
  }

  toEmpty(): Pick<Work, "prepare" | "run" | "after"> {
    return {
      prepare: (from) => this.#begin(from),
      run: (from) => this.#push(from),
      after: (from) => this.#end(from),
    };
  }

  again(): Pick<Work, "prepare" | "run" | "after"> {
    const prepare = async (from: Contender) => {
      await this.#begin(from);
      await this.#push(from);
    };
    return { ...this.toEmpty(), prepare };
  }

  get #repository(): string {
    return `${this.#registry?.host}/uploaded`;
  }

  async #begin(from: Contender): Promise<void> {
    this.#registry = await Registry.start();
    await ask(from, `/images/${this.#reference}/tag?repo=${this.#repository}&tag=latest`, "POST");
  }

  async #push({ socket = "" }: Contender): Promise<void> {
    await call(socket, `/images/${this.#repository}/push?tag=latest`, { method: "POST", headers: noAuth });
  }

  async #end(from: Contender): Promise<void> {
    await ask(from, `/images/${this.#repository}:latest?noprune=1`, "DELETE");
    await this.#registry?.[Symbol.asyncDispose]();
  }
}

/** Tars that `docker cp` puts into containers. */
export async function containerTars(directory: string): Promise<Pick<Material, "changes" | "data">> {
  const name = (i: number) => `srv/app/modules/group-${i % 50}/module-${i}`;
  const changes = await tarOfFiles(join(directory, "changes.tar"), 2000, (i) => `${name(i)}/file-5.js`, 500);
  const data = await tarOfFiles(join(directory, "data.tar"), 2000, (i) => `srv/new/${i % 50}/data-${i}`, 100_000);
  return { changes, data };
}

import { readdir, readFile, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { runDirectoryOf } from "../src/engine/run/run-directory.js";
import { Dockerd } from "../test/oracle/dockerd.js";
import { call } from "../test/oracle/engine-call.js";
import { Layerkitd } from "../test/oracle/layerkitd.js";

/** Somebody who can pull images. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** Of a Docker Engine API, where it has one. */
  readonly socket?: string;
  /** The processes of its daemon. */
  pids(): Promise<number[]>;
  /** Where those that look after its containers keep their files: how they are found. */
  readonly runDirectory?: string;
  /** @param reference on a registry of 127.0.0.1 */
  pull(reference: string): Promise<void>;
  /** Takes the image and all its layers away; one that is not there is no error. */
  remove(reference: string): Promise<void>;
}

export async function startLayerkit(root: string): Promise<Contender> {
  const daemon = await Layerkitd.start(root);
  const runDirectory = runDirectoryOf(await realpath(root));
  return { ...engine("layerkit", daemon.socket, async () => [daemon.pid], daemon), runDirectory };
}

export async function startDockerd(root: string): Promise<Contender> {
  const dockerd = await Dockerd.start(root);
  const pids = async () => [dockerd.pid, ...(await childrenOf(dockerd.pid))];
  return { ...engine("dockerd", dockerd.socket, pids, dockerd), runDirectory: dirname(dockerd.socket) };
}

function engine(name: string, socket: string, pids: () => Promise<number[]>, daemon: AsyncDisposable): Contender {
  return {
    name,
    socket,
    pids,
    pull: async (reference) => {
      await call(socket, `/images/create?fromImage=${reference}`, { method: "POST", headers: noAuth });
    },
    remove: async (reference) => {
      await call(socket, `/images/${reference}?force=1`, { method: "DELETE" }).catch(() => {});
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

/** dockerd wants to be told that there is nothing to tell: `{}` in base64. */
export const noAuth = { "X-Registry-Auth": "e30=" };

async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir("/proc")).map(Number).filter(Boolean);
  const parents = pids.map(async (each) => {
    const stat = await readFile(`/proc/${each}/stat`, "utf8").catch(() => "");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid ? [each] : [];
  });
  return (await Promise.all(parents)).flat();
}

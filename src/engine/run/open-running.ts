import { join } from "node:path";
import { findInit, openSupervisor, type RuntimePlace, type Supervisor } from "../../runtime/index.js";
import { messageOf, type Undo } from "../../spec/index.js";
import type { ContainerStore } from "../container/container-store.js";
import type { Events } from "../events.js";
import { ContainerNetwork } from "../network/container-network.js";
import type { NetworkSettings } from "../network/network-settings.js";
import type { Networks } from "../networks.js";
import { ExecTable } from "./exec-table.js";
import type { Lives } from "./lives.js";
import { Attachments } from "./network-attachment.js";
import { noSupervisor } from "./no-supervisor.js";
import { runDirectoryOf } from "./run-directory.js";

export interface RunningOptions {
  /** Real path of the data root. */
  readonly root: string;
  readonly execRoot?: string;
  readonly initPath?: string;
  readonly network?: NetworkSettings;
  readonly writable: boolean;
  readonly store: ContainerStore;
  readonly networks: Networks;
  readonly events: Events;
  readonly lives: Lives;
}

/** What containers that run are made with. @param undo closes it; they go on */
export async function openRunning(options: RunningOptions, undo: Undo) {
  const { root, execRoot, initPath, network = {}, writable, store, networks, events, lives } = options;
  const runDirectory = runDirectoryOf(root, execRoot);
  const runtimePlace: RuntimePlace = { directory: runDirectory, runtime: "runc" };
  const supervisor: Supervisor = writable ? await openSupervisor(runtimePlace) : noSupervisor;
  undo.defer(() => supervisor[Symbol.asyncDispose]());
  undo.defer(() => store.settled());
  const bridge = new ContainerNetwork({
    settings: network,
    directory: join(runDirectory, "netns"),
    store,
    networkID: networks.inspect("bridge").Id,
  });
  undo.defer(() => bridge[Symbol.asyncDispose]());
  undo.defer(() => lives.close());
  return {
    supervisor,
    runDirectory,
    runtimePlace,
    attachments: new Attachments({ bridge, networks, events, store }),
    execs: new ExecTable(),
    initPath: () => initPath || findInit(),
  };
}

/** Has `watch` running until all is closed. */
export function inBackground(
  what: string,
  watch: (signal: AbortSignal) => Promise<void>,
  report: (line: string) => void,
  undo: Undo,
) {
  const closing = new AbortController();
  const watching = watch(closing.signal).catch((error) => report(`${what}: ${messageOf(error)}`));
  undo.defer(async () => {
    closing.abort();
    await watching;
  });
}

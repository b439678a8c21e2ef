import type { Exit } from "../../runtime/index.js";
import { messageOf } from "../../spec/index.js";
import type { ContainerParts } from "../container/container-parts.js";
import { emitContainer } from "../container/container-parts.js";
import type { Processes, TerminalSize } from "../processes.js";
import { attachTo } from "./attach.js";
import { processEnded } from "./ended.js";
import { execEnded } from "./exec.js";
import { killContainer, notRunning } from "./kill.js";
import { logsOf } from "./logs.js";
import { pauseContainer, unpauseContainer } from "./pause.js";
import { startContainer } from "./start.js";
import { statsOf } from "./stats.js";
import { restartContainer, stopContainer } from "./stop.js";
import { topOf } from "./top.js";
import { updateContainer } from "./update.js";
import { waitFor } from "./wait.js";

/** The life of the containers of one data root. */
export function processOperations(parts: ContainerParts): Processes {
  return {
    start: (name) => startContainer(parts, name),
    stop: (name, options) => stopContainer(parts, name, options),
    restart: (name, options) => restartContainer(parts, name, options),
    kill: (name, signal) => killContainer(parts, name, signal),
    pause: (name) => pauseContainer(parts, name),
    unpause: (name) => unpauseContainer(parts, name),
    wait: async (name, condition = "not-running", { signal } = {}) => waitFor(parts, name, condition, signal),
    attach: (name, options) => attachTo(parts, name, options),
    resize: (name, size) => resize(parts, name, size),
    logs: (name, options) => logsOf(parts, name, options),
    top: (name, psArgs) => topOf(parts, name, psArgs),
    stats: (name, options) => statsOf(parts, name, options),
    update: (name, body) => updateContainer(parts, name, body),
  };
}

async function resize(parts: ContainerParts, name: string, { height, width }: TerminalSize): Promise<void> {
  const container = parts.store.find(name);
  const { ID: id, State: state } = container.stored;
  if (!state.Running) throw notRunning(id);
  await parts.supervisor.resize({ id }, { height, width });
  emitContainer(parts, container, "resize", { height: String(height), width: String(width) });
}

/** Takes in the exits that the supervisor tells, until `signal` fires; resolves when those that came are dealt with. */
export async function watchExits(parts: ContainerParts, signal: AbortSignal): Promise<void> {
  const underWay = new Set<Promise<void>>();
  for await (const exit of parts.supervisor.exits(signal)) {
    const dealing = takeIn(parts, exit)
      .catch((error) => parts.report(`the exit of container ${exit.id}: ${messageOf(error)}`))
      .finally(() => underWay.delete(dealing));
    underWay.add(dealing);
  }
  await Promise.all(underWay);
}

async function takeIn(parts: ContainerParts, exit: Exit): Promise<void> {
  const { id, execID, exitCode } = exit;
  if (execID === undefined) return processEnded(parts, exit);
  execEnded(parts, id, execID, exitCode);
  await parts.supervisor.acknowledge({ id, execID });
}

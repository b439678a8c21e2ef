import { NotImplemented } from "../../spec/index.js";
import type { Execs } from "../execs.js";
import type { Processes } from "../processes.js";

const refuse = async (): Promise<never> => {
  throw new NotImplemented("layerkit does not run containers yet");
};

export const noProcesses: Processes = {
  ...{ start: refuse, stop: refuse, restart: refuse, kill: refuse, pause: refuse, unpause: refuse, wait: refuse },
  ...{ attach: refuse, resize: refuse, logs: refuse, top: refuse, stats: refuse, update: refuse },
};

export const noExecs: Execs = { create: refuse, start: refuse, resize: refuse, inspect: refuse };

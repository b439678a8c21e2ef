import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Log, serve } from "../../src/daemon/index.js";

/** `layerkit serve`, but without patience: it waits milliseconds for a registry where the command waits seconds. */
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    root: { type: "string", default: "" },
    host: { type: "string", short: "H", default: "" },
    bridge: { type: "string", default: "none" },
    "exec-root": { type: "string", default: "" },
  },
});
const pause = (ms: number, signal?: AbortSignal) => delay(ms / 100, undefined, signal && { signal });
const daemon = await serve({
  root: values.root,
  execRoot: values["exec-root"],
  network: { bridge: values.bridge },
  sockets: [values.host.replace("unix://", "")],
  log: new Log(),
  lasting: true,
  registries: { silenceMs: 200, time: { pause } },
});
process.once("SIGTERM", () => void daemon.close(1000));
console.log("ready");

import { dirname } from "node:path";
import { Engine } from "../engine.js";

/** Starts three containers, one with the command given, tells their ids, and waits to be killed. */
const [root = "", ...Cmd] = process.argv.slice(2);
const execRoot = `${dirname(root)}/run`;
const engine = await Engine.open({ root, execRoot, driver: "overlay2", network: { bridge: "none" } });
const ids: string[] = [];
for (const [command, AutoRemove] of [
  [Cmd, false],
  [["sh", "-c", "echo x > /written; sleep 1000"], false],
  [["sh", "-c", "sleep 0.3"], true],
] as const) {
  const HostConfig = { NetworkMode: "none", AutoRemove };
  const { Id } = await engine.containers.create({ Image: "sample:1", Cmd: [...command], HostConfig });
  await engine.processes.start(Id);
  ids.push(Id);
}
process.stdout.write(`${ids.join(" ")}\n`);
setInterval(() => {}, 1000);

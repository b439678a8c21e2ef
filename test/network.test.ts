import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { lacking } from "./oracle/programs.js";
import { output } from "./oracle/run.js";
import { scratch } from "./oracle/scratch.js";

const program = fileURLToPath(new URL("./network.test.program.js", import.meta.url));
const missing = lacking("root", "mounts", "docker", "runc", "perl", "iptables", "unshare", "/usr/lib/cni/portmap");

const timeout = 90_000;

test.skipIf(missing)(
  "containers on the bridge are reached by their ports, by each other, and after the daemon was killed",
  { timeout },
  async () => {
    await using directory = await scratch();
    const own = ["--net", "--mount", "--propagation", "private"];
    await output("unshare", [...own, process.execPath, program, directory.path]);
    expect(JSON.parse(await readFile(join(directory.path, "found.json"), "utf8"))).toEqual({
      addresses: ["172.17.0.2", "172.17.0.3"],
      published: ["hello", "hello", "hello"],
      ports: ["other 81/tcp, 127.0.0.1:PORT->80/tcp", "web 0.0.0.0:8080->80/tcp"],
      between: "hello",
      hosts: "172.17.0.2",
      network: [{ Subnet: "172.17.0.0/16", Gateway: "172.17.0.1" }],
      members: expect.stringMatching(/^(?=.*web 172.17.0.2\/16;)(?=.*other 172.17.0.3\/16;)/),
      refused: [125, true],
      alone: ["lo:"],
      shared: true,
      mac: [true, true, true, true],
      without: "hello",
      after: ["hello", 2],
      third: "172.17.0.4",
      restarted: "hello",
      gone: ["ECONNREFUSED", 0],
      early: [[true, 1], [false, 0], "created"],
      late: [[true, 1], "172.17.0.2", "172.17.0.3", [false, 0]],
      lacking: [125, true],
      host: "ran",
    });
  },
);

import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { scratch } from "../../../test/oracle/scratch.js";
import { CNI } from "./cni.js";

const program = fileURLToPath(new URL("./bridge.test.program.js", import.meta.url));
const needs = ["root", "mounts", "unshare", "nsenter", "iptables"];

test.for([
  ["cni", "/usr/lib/cni/portmap"],
  ["netavark", "/usr/lib/podman/netavark"],
] as const)(
  "members of a bridge reach each other, and the host them by their ports: %s",
  async ([name, path], { skip }) => {
    const missing = lacking(...needs, path);
    if (missing) skip(missing);
    await using directory = await scratch();
    const said = await output("unshare", ["--net", "--mount", process.execPath, program, directory.path, name]);
    expect(JSON.parse(said)).toEqual({
      subnet: "172.17.0.0/16",
      host: "172.17.0.1",
      addresses: ["172.17.0.2", "172.17.0.3"],
      fromHost: "one",
      published: ["one", "two"],
      between: "two",
      ...(name === "cni" && { itself: "one" }),
      loopback: "two",
      rules: true,
      rulesLeft: 0,
    });
    expect(await readdir(directory.path)).toEqual([]);
  },
);

test("a plugin that fails is quoted, and what the chain had done is undone", async () => {
  await using directory = await scratch();
  const log = join(directory.path, "log");
  const plugin = (name: string, rest: string) =>
    writeFile(join(directory.path, name), `#!/bin/sh\necho "${name} $CNI_COMMAND $CNI_IFNAME" >> ${log}\n${rest}\n`);
  await plugin("good", "cat > /dev/null; echo '{}'");
  await plugin(
    "bad",
    `[ $CNI_COMMAND = DEL ] || { echo '{"code": 7, "msg": "no way", "details": "at all"}'; exit 1; }`,
  );
  for (const name of ["good", "bad"]) await chmod(join(directory.path, name), 0o755);
  const cni = CNI.find(["good", "bad"], ["/nowhere", directory.path]);
  expect(CNI.find(["good", "other"], [directory.path])).toBeUndefined();
  const target = { id: "x", namespace: "/none", interface: "eth0" };
  await expect(cni?.add("net", [{ type: "good" }, { type: "bad" }], target)).rejects.toThrow(/bad: no way: at all$/);
  expect(await output("cat", [log])).toBe("good ADD eth0\nbad ADD eth0\nbad DEL eth0\ngood DEL eth0");
});

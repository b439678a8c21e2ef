import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Dockerd } from "../../test/oracle/dockerd.js";
import { call } from "../../test/oracle/engine-call.js";
import { lacking } from "../../test/oracle/programs.js";
import { scratch } from "../../test/oracle/scratch.js";
import { Engine } from "./engine.js";
import { imported, rootfs } from "./engine.test.tools.js";

describe.skipIf(lacking("root", "mounts", "dockerd"))("what containers get that say nothing", () => {
  test("is written down as dockerd does it", async () => {
    await using directory = await scratch("/dev/shm");
    const at = (name: string) => join(directory.path, name);
    const args = ["--no-new-privileges", "--default-shm-size=1m", "--default-ipc-mode=shareable"];
    await using dockerd = await Dockerd.start(at("theirs"), { args: [...args, "--default-cgroupns-mode=private"] });
    await using engine = await Engine.open({
      root: at("ours"),
      containers: { noNewPrivileges: true, shmSize: 1 << 20, ipcMode: "shareable", cgroupnsMode: "private" },
    });
    await imported(engine, rootfs, "base:1");
    await call(dockerd.socket, "/images/create?fromSrc=-&repo=base&tag=1", { method: "POST", body: rootfs });
    const written = async (root: string, id: string) => {
      const file = (name: string) => readFile(join(root, "containers", id, name), "utf8");
      const { NoNewPrivileges } = JSON.parse(await file("config.v2.json"));
      const { IpcMode, ShmSize, CgroupnsMode } = JSON.parse(await file("hostconfig.json"));
      return { NoNewPrivileges, IpcMode, ShmSize, CgroupnsMode };
    };
    const own = { IpcMode: "private", ShmSize: 4096, CgroupnsMode: "host", SecurityOpt: ["no-new-privileges=false"] };
    for (const HostConfig of [{}, own]) {
      const body = { Image: "base:1", Cmd: ["x"], HostConfig };
      const theirs = JSON.parse(await call(dockerd.socket, "/containers/create", { method: "POST", body })) as {
        Id: string;
      };
      const ours = await engine.containers.create(body);
      expect(await written(engine.root, ours.Id)).toEqual(await written(dockerd.dataRoot, theirs.Id));
    }
  });
});

test("a seccomp profile that is none keeps an engine from opening", async () => {
  await using directory = await scratch();
  const path = join(directory.path, "profile.json");
  const open = () => Engine.open({ root: join(directory.path, "root"), containers: { seccompProfile: path } });
  await expect(open()).rejects.toThrow(`seccomp profile ${path}: ENOENT`);
  await writeFile(path, '{"syscalls": []}');
  await expect(open()).rejects.toThrow(`seccomp profile ${path}: Decoding seccomp profile failed: no defaultAction`);
});

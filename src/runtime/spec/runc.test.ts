import { chown, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { output, type Ran, run } from "../../../test/oracle/run.js";
import { scratch } from "../../../test/oracle/scratch.js";
import { smallRoot } from "../../../test/oracle/small-root.js";
import type { HostConfig, RunConfig } from "../../spec/index.js";
import { hostFacts } from "./host-facts.js";
import type { ContainerSetup } from "./setup.js";
import { containerSpec, execSpec, specText } from "./spec.js";

/** What a container asks for, and what is run in it: lines of a shell. */
interface Case extends Partial<Pick<ContainerSetup, "mounts" | "init" | "shm" | "files">> {
  readonly config?: RunConfig;
  readonly host?: HostConfig;
  readonly sh: string;
}

describe.skipIf(lacking("root", "mounts", "runc"))("runc makes of our spec what was asked for", () => {
  let directory: string;
  let rootfs: string;
  beforeAll(async () => {
    const made = await scratch("/dev/shm");
    directory = made.path;
    rootfs = join(directory, "rootfs");
    await mkdir(rootfs);
    const tar = await smallRoot(["sh", "cat", "id", "ls", "grep", "mkdir", "stat", "sleep", "env", "hostname"], {
      "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n",
      "etc/group": "root:x:0:\nbob:x:1001:\nstaff:x:50:root,bob\n",
      "etc/hosts": "in the image\n",
    });
    await output("tar", ["-x", "-C", rootfs], { input: tar });
    return () => made[Symbol.asyncDispose]();
  });

  let count = 0;

  async function bundle({ sh, config = {}, host = {}, mounts = [], files = {}, ...rest }: Case) {
    const id = `layerkit-test-${process.pid}-${count++}`;
    const path = join(directory, id);
    await mkdir(path);
    const setup: ContainerSetup = {
      ...{ id, rootfs, path: "sh", args: ["-c", sh], config: { Hostname: "h", ...config }, mounts, files, join: {} },
      host: { NetworkMode: "none", IpcMode: "private", ...host },
      ...rest,
    };
    const spec = await containerSpec(setup);
    await writeFile(join(path, "config.json"), specText(spec));
    return { id, path, setup, spec };
  }

  const runc = (...args: string[]): Promise<Ran> => run("runc", ["--root", join(directory, "runc"), ...args]);

  /** What it wrote, both streams. */
  async function said(asked: Case): Promise<string> {
    const { id, path } = await bundle(asked);
    const { stdout, stderr } = await runc("run", "--bundle", path, id);
    return (stdout + stderr).trim();
  }

  test("its user, with groups and home from its own passwd, and a directory that is made", async () => {
    const config = { User: "bob", WorkingDir: "/a/b", Env: ["A=1"], Hostname: "own", Domainname: "d.example" };
    const sh = "id; echo $PWD $HOME $A; stat -c %u /a/b; cat /proc/sys/kernel/domainname; hostname";
    expect(await said({ config, sh, host: { GroupAdd: ["7"] } })).toBe(
      "uid=1000(bob) gid=1001(bob) groups=1001(bob),7,50(staff)\n/a/b /home/bob 1\n0\nd.example\nown",
    );
  });

  const status = "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status";
  const statusOf = async (asked: Omit<Case, "sh">) => {
    const lines = (await said({ ...asked, sh: status })).split("\n").map((line) => line.split(/:\s+/));
    return Object.fromEntries(lines) as Record<string, string>;
  };

  test("capabilities, seccomp and no new privileges", async () => {
    const usual = { CapEff: "00000000a80425fb", CapBnd: "00000000a80425fb", NoNewPrivs: "0", Seccomp: "2" };
    const available = hostFacts().capabilities;
    const own = /CapBnd:\s*(\S+)/.exec((await output("cat", ["/proc/self/status"])).toString())?.[1] ?? "";
    expect(available).toContain("CAP_SYS_ADMIN");
    expect(await statusOf({})).toEqual(usual);
    expect(await statusOf({ config: { User: "bob" } })).toEqual({ ...usual, CapEff: "0".repeat(16) });
    expect(await statusOf({ host: { CapDrop: ["ALL"], CapAdd: ["CHOWN"] } })).toMatchObject({
      CapEff: `${"0".repeat(15)}1`,
    });
    expect(await statusOf({ host: { SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] } })).toEqual({
      ...{ ...usual, NoNewPrivs: "1", Seccomp: "0" },
    });
    expect(await statusOf({ host: { Privileged: true } })).toEqual({
      CapEff: own,
      CapBnd: own,
      NoNewPrivs: "0",
      Seccomp: "0",
    });
  });

  test("a profile of its own", async () => {
    const calls = [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }];
    const profile = JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: calls });
    expect(await said({ host: { SecurityOpt: [`seccomp=${profile}`] }, sh: "mkdir /x" })).toMatch(/No space left/);
  });

  test("a root that cannot be written, with a tmpfs that can", async () => {
    const host = { ReadonlyRootfs: true, Tmpfs: { "/tmp": "size=8k" }, ShmSize: 12288 };
    const sh = "echo 1 > /x; echo 2 > /tmp/x; cat /tmp/x; grep -E ' /(tmp|dev/shm) ' /proc/mounts";
    const lines = await said({ host, sh });
    expect(lines).toMatch(/Read-only file system/);
    expect(lines).toMatch(/^2$/m);
    expect(lines).toMatch(/^tmpfs \/tmp tmpfs rw,nosuid,nodev,noexec,relatime,size=8k/m);
    expect(lines).toMatch(/^shm \/dev\/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=12k/m);
  });

  test("paths of the kernel are hidden, or read-only", async () => {
    const sh = "cat /proc/version; ls -A /proc/tty; echo x > /proc/sys/kernel/domainname";
    const hidden = { MaskedPaths: ["/proc/version", "/proc/tty", "/proc/zork"] };
    expect(await said({ host: hidden, sh })).toMatch(/^.*domainname: Read-only file system$/);
    const open = { MaskedPaths: [], ReadonlyPaths: [] };
    expect(await said({ host: open, sh })).toMatch(/^Linux version .*\n(.+\n)*.+$/);
    expect(await said({ host: open, sh })).not.toMatch(/Read-only/);
  });

  test("limits of processes and of memory", async () => {
    const host = {
      Ulimits: [
        { Name: "nofile", Soft: 100, Hard: 200 },
        { Name: "core", Soft: -1, Hard: -1 },
      ],
      Memory: 1 << 26,
      PidsLimit: 50,
      OomScoreAdj: 77,
    };
    const cgroup = hostFacts().cgroup2 ? ["memory.max", "pids.max"] : ["memory/memory.limit_in_bytes", "pids/pids.max"];
    const sh = `grep -E 'open files|core' /proc/self/limits; cat /proc/self/oom_score_adj ${cgroup.map((file) => `/sys/fs/cgroup/${file}`).join(" ")}`;
    expect((await said({ host, sh })).split(/\s*\n/)).toEqual([
      expect.stringMatching(/^Max core file size +unlimited +unlimited/),
      expect.stringMatching(/^Max open files +100 +200/),
      "77",
      String(1 << 26),
      "50",
    ]);
  });

  test.skipIf(lacking("loop"))("devices and what may be done with them", async () => {
    const device = { PathOnHost: "/dev/loop-control", PathInContainer: "/dev/mine", CgroupPermissions: "r" };
    const sh = "ls -l /dev/mine; cat < /dev/mine; echo > /dev/mine; ls /dev/loop-control";
    const lines = await said({ host: { Devices: [device] }, sh });
    expect(lines).toMatch(/^crw.* 10, +237 /m);
    expect(lines).toMatch(/(cannot create|can't create) \/dev\/mine: Operation not permitted/);
    expect(lines).toMatch(/loop-control.*No such file/);
    expect(await said({ host: { Privileged: true }, sh: "ls /dev/loop-control" })).toBe("/dev/loop-control");
  });

  test("binds: read-only, one below another, in place of its files", async () => {
    const [outer, inner, hosts] = ["outer", "inner", "hosts"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [outer, inner, join(outer, "inner")]) await mkdir(path);
    await chown(outer, 1000, 1001);
    await writeFile(hosts, "given\n");
    const mounts: ContainerSetup["mounts"] = [
      { type: "bind", source: inner, destination: "/data/inner", rw: true, propagation: "rprivate" },
      { type: "bind", source: outer, destination: "/data", rw: false, propagation: "rprivate" },
    ];
    const sh = "cat /etc/hosts; stat -c %u:%g /data; echo 1 > /data/x; echo 2 > /data/inner/x";
    expect(await said({ mounts, files: { hosts }, sh })).toMatch(/^given\n1000:1001\n.*Read-only file system$/);
    expect((await stat(join(inner, "x"))).size).toBe(2);
  });

  test("an init program is the first process", async () => {
    const init = join(directory, "init");
    await writeFile(init, '#!/bin/sh\nshift\necho first "$$"\n"$@"\n', { mode: 0o755 });
    expect(await said({ init, sh: "echo next" })).toBe("first 1\nnext");
  });

  test("namespaces of the host, and of its own", async () => {
    const sh = "for each in cgroup ipc net pid uts; do stat -Lc %i /proc/self/ns/$each; done";
    const inodes = await Promise.all(
      ["cgroup", "ipc", "net", "pid", "uts"].map((name) => stat(`/proc/self/ns/${name}`)),
    );
    const hosts = inodes.map(({ ino }) => String(ino));
    const modes = { CgroupnsMode: "host", IpcMode: "host", NetworkMode: "host", PidMode: "host", UTSMode: "host" };
    expect((await said({ host: modes, sh })).split("\n")).toEqual(hosts);
    const own = (await said({ host: { CgroupnsMode: "private" }, sh })).split("\n");
    expect(own.filter((inode) => hosts.includes(inode))).toEqual([]);
  });

  test("a further process, with other rights", async () => {
    const { id, path, setup, spec } = await bundle({
      config: { User: "bob", Env: ["A=1"] },
      sh: "exec sleep 60 > /dev/null 2>&1",
    });
    const started = await runc("run", "--detach", "--bundle", path, id);
    expect(started).toMatchObject({ status: 0 });
    try {
      const exec = async (more: object) => {
        const command = ["sh", "-c", `id -u; echo $A $B; ${status}`];
        const file = join(path, "process.json");
        await writeFile(file, specText(await execSpec({ ...setup, running: spec.process, command, ...more })));
        return (await runc("exec", "--process", file, id)).stdout;
      };
      expect(await exec({ env: ["B=2"] })).toMatch(/^1000\n1 2\nCapEff:\s+0{16}\n/);
      expect(await exec({ user: "0", privileged: true })).toMatch(/^0\n1 *\nCapEff:\s+[0-9a-f]*[1-9a-f]0{0,15}/);
    } finally {
      await runc("delete", "--force", id);
    }
  });
});

import { beforeAll, describe, expect, test } from "vitest";
import type { Refused } from "../../../test/oracle/engine-call.js";
import { lacking } from "../../../test/oracle/programs.js";
import type { HostConfig } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import { knownCapabilities } from "./capabilities.js";
import { type Body, comparable, comparableProcess, rulesUnchanged, SpecOracle } from "./dockerd.test.helper.js";
import { hostFacts } from "./host-facts.js";
import type { OCIProcess, OCISpec } from "./oci.js";
import { defaultProfile } from "./seccomp/default-profile.js";
import type { ContainerSetup, ExecSetup } from "./setup.js";
import { containerSpec, execSpec, specText } from "./spec.js";

/** dockerd 20.10 gives away no capability younger than audit_read, even where the kernel has more; and all others. */
const facts = { ...hostFacts(), capabilities: knownCapabilities.slice(0, 38) };

describe.skipIf(lacking("root", "mounts", "dockerd", "containerd", "runc"))("the same as dockerd 20.10", () => {
  let dockerd: SpecOracle;
  beforeAll(async () => {
    dockerd = await SpecOracle.start();
    return () => dockerd[Symbol.asyncDispose]();
  });

  const ours = async (setup: ContainerSetup) => JSON.parse(specText(await containerSpec(setup, facts))) as OCISpec;

  const binds = (...Binds: string[]): Body => ({ HostConfig: { Binds } });
  const host = (HostConfig: HostConfig): Body => ({ HostConfig });

  const cases: [what: string, body: () => Body][] = [
    ["nothing", () => ({})],
    ["a terminal", () => ({ Tty: true })],
    ["an environment", () => ({ Tty: true, Env: ["A=1", "HOSTNAME", "TERM=vt100", "A=2", "PATH=/bin", "E="] })],
    ["an entrypoint and a directory", () => ({ Entrypoint: ["/bin/sleep"], Cmd: ["1"], WorkingDir: "/a//b/../c/" })],
    ["a host name and a domain", () => ({ Hostname: "h", Domainname: "d.example" })],
    ["no network", () => ({ NetworkDisabled: true })],
    ...["bob", "1000", "1000:5", "bob:staff", "bob:50", ":50", "root", "4000", "4000:4001", "12", "odd", "7", "+7"].map(
      (User): [string, () => Body] => [`user ${User}`, () => ({ User })],
    ),
    ["user bob in more groups", () => ({ User: "bob", HostConfig: { GroupAdd: ["wheel", "7", "88", "3"] } })],
    ["capabilities", () => host({ CapAdd: ["sys_admin", "CAP_NET_ADMIN"], CapDrop: ["chown", "KILL"] })],
    ["all capabilities but one", () => host({ CapAdd: ["ALL"], CapDrop: ["MKNOD"] })],
    ["two capabilities alone", () => host({ CapAdd: ["CHOWN", "NET_RAW"], CapDrop: ["all"] })],
    ["no capabilities", () => host({ CapDrop: ["ALL"] })],
    ["all privileges", () => host({ Privileged: true })],
    [
      "privileges and devices",
      () => host({ Privileged: true, Devices: [device("/dev/null", "/dev/nothing"), device("/dev/zero")] }),
    ],
    ["no new privileges", () => host({ SecurityOpt: ["no-new-privileges"] })],
    ["no paths hidden", () => host({ MaskedPaths: [], ReadonlyPaths: ["/proc/bus"] })],
    [
      "limits of its own",
      () =>
        host({
          Ulimits: [
            { Name: "nofile", Soft: 10, Hard: 20 },
            { Name: "core", Soft: -1, Hard: -1 },
          ],
        }),
    ],
    [
      "oom score and kernel settings",
      () => host({ OomScoreAdj: 100, Sysctls: { "net.ipv4.ip_forward": "1", "net.ipv4.ping_group_range": "5 6" } }),
    ],
    [
      "a read-only root",
      () => ({ HostConfig: { ReadonlyRootfs: true, Binds: [`${dockerd.places.plain}:/data`], IpcMode: "shareable" } }),
    ],
    ["tmpfs", () => host({ Tmpfs: { "/run": "rw,size=64k,mode=1777,size=32k,exec", "/a/b": "", "/dev/pts": "ro" } })],
    [
      "tmpfs as mounts",
      () =>
        host({
          Mounts: [
            { Type: "tmpfs", Target: "/t" },
            { Type: "tmpfs", Target: "/u", ReadOnly: true, TmpfsOptions: { SizeBytes: 1 << 21, Mode: 0o1770 } },
            { Type: "tmpfs", Target: "/v", TmpfsOptions: { SizeBytes: 1_000_001 } },
          ],
        }),
    ],
    ["its own tmpfs at /dev/shm", () => host({ Tmpfs: { "/dev/shm": "size=1m" }, IpcMode: "shareable" })],
    ["shared memory of a size", () => host({ ShmSize: 1 << 20 })],
    ...["none", "host", "shareable", "private"].map((IpcMode): [string, () => Body] => [
      `ipc ${IpcMode}`,
      () => host({ IpcMode }),
    ]),
    ["the host's namespaces", () => host({ PidMode: "host", UTSMode: "host", NetworkMode: "host", IpcMode: "host" })],
    ["the host's network", () => host({ NetworkMode: "host" })],
    ["cgroup namespaces", () => host({ CgroupnsMode: "private" })],
    ["user namespaces", () => host({ UsernsMode: "host" })],
    [
      "binds",
      () =>
        binds(
          `${dockerd.places.plain}:/z`,
          `${dockerd.places.plain}:/a/b/c:ro`,
          `${dockerd.places.plain}:/a:private`,
          `${dockerd.places.plain}:/y`,
        ),
    ],
    [
      "binds that propagate",
      () =>
        binds(
          `${dockerd.places.shared}:/a:shared`,
          `${dockerd.places.shared}:/b:rslave`,
          `${dockerd.places.shared}:/c:ro,slave`,
        ),
    ],
    ["a bind of what has dockerd's root in it", () => binds(`${dockerd.places.above}:/above:ro`)],
    ["a bind in place of /dev", () => binds(`${dockerd.places.plain}:/dev`)],
    [
      "binds in place of other mounts",
      () => binds(`${dockerd.places.plain}:/dev/shm`, `${dockerd.places.plain}:/sys/fs/cgroup:ro`),
    ],
    ["binds in place of a container's files", () => binds(`${dockerd.rootfs}/etc/group:/etc/hosts:ro`)],
    ["volumes", () => ({ Volumes: { "/anonymous": {} }, HostConfig: { Binds: ["named:/n", "named:/m:ro"] } })],
    [
      "a bind that is not recursive",
      () =>
        host({
          Mounts: [
            {
              Type: "bind",
              Source: dockerd.places.plain,
              Target: "/p",
              ReadOnly: true,
              BindOptions: { NonRecursive: true },
            },
          ],
        }),
    ],
    [
      "devices",
      () =>
        host({
          Devices: [
            device("/dev/null", "/dev/mine", "r"),
            device(`${dockerd.places.above}/link`),
            device(`${dockerd.places.above}/devices`, "/net"),
          ],
        }),
    ],
    ["device rules", () => host({ DeviceCgroupRules: ["c 42:* rmw", "a *:* rwm", "b 8:1 r"] })],
    [
      "memory",
      () => host({ Memory: 1 << 26, MemoryReservation: 1 << 25, MemorySwappiness: 10, KernelMemory: 1 << 25 }),
    ],
    ["memory and any swap", () => host({ Memory: 1 << 26, MemorySwap: -1, OomKillDisable: true })],
    ["processors", () => host({ CpuShares: 512, NanoCpus: 1_500_000_000, CpusetCpus: "0", CpusetMems: "0" })],
    ["processor time", () => host({ CpuPeriod: 50_000, CpuQuota: 25_000, PidsLimit: 100 })],
    ["any number of processes", () => host({ PidsLimit: -1, CgroupParent: "/one/two/" })],
    ["a relative cgroup", () => host({ CgroupParent: "one" })],
    ["disks", () => host({ BlkioDeviceReadBps: [rate(1 << 20)], BlkioDeviceWriteIOps: [rate(10), rate(20)] })],
    ["an init program", () => host({ Init: true, Binds: [`${dockerd.places.plain}:/sbin`] })],
    ["an init program in the host's processes", () => host({ Init: true, PidMode: "host" })],
  ];

  const device = (from: string, to = from, access = "rwm") => ({
    PathOnHost: from,
    PathInContainer: to,
    CgroupPermissions: access,
  });
  /** Any device will do. */
  const rate = (Rate: number) => ({ Path: "/dev/null", Rate });

  test.for(cases)("a container with %s", async ([, body]) => {
    const id = await dockerd.created(body(), "refusing");
    await expect(dockerd.post(`/containers/${id}/start`)).rejects.toThrow(/OCI runtime create failed/);
    const theirs = await dockerd.refusing.spec<OCISpec>(id);
    expect(comparable(await ours(await dockerd.setupOf(id)))).toEqual(comparable(theirs));
    await dockerd.removed(id);
  });

  test.for<[string, HostConfig]>([
    ["the usual capabilities", {}],
    ["all capabilities", { CapAdd: ["ALL"] }],
    ["no capabilities", { CapDrop: ["ALL"] }],
  ])("a seccomp profile is narrowed to %s", async ([, HostConfig]) => {
    const SecurityOpt = [`seccomp=${JSON.stringify(defaultProfile)}`];
    const id = await dockerd.created(host({ ...HostConfig, SecurityOpt }), "refusing");
    await expect(dockerd.post(`/containers/${id}/start`)).rejects.toThrow(/OCI runtime create failed/);
    const theirs = (await dockerd.refusing.spec<OCISpec>(id)).linux.seccomp;
    expect((await ours(await dockerd.setupOf(id))).linux.seccomp).toEqual(theirs);
    await dockerd.removed(id);
  });

  test("the default profile is that of 20.10 but for what later releases of Docker refuse and allow", async () => {
    for (const HostConfig of [{}, { CapAdd: ["ALL"] }, { CapDrop: ["ALL"] }]) {
      const id = await dockerd.created({ HostConfig }, "refusing");
      await expect(dockerd.post(`/containers/${id}/start`)).rejects.toThrow(/OCI runtime create failed/);
      const theirs = (await dockerd.refusing.spec<OCISpec>(id)).linux.seccomp;
      const own = (await ours(await dockerd.setupOf(id))).linux.seccomp;
      expect(rulesUnchanged(own)).toEqual(rulesUnchanged(theirs));
      expect({ ...own, syscalls: [] }).toEqual({ ...theirs, syscalls: [] });
      await dockerd.removed(id);
    }
  });

  test.for<[what: string, body: () => Body]>([
    ["an unknown user", () => ({ User: "zork" })],
    ["an unknown group", () => ({ User: "bob:zork" })],
    ["an unknown further group", () => host({ GroupAdd: ["zork"] })],
    ["a user out of range", () => ({ User: "2147483648" })],
    ["a group out of range", () => ({ User: "0:-1" })],
    ["a device that is not there", () => host({ Devices: [device("/dev/zork")] })],
    ["a file for a device", () => host({ Devices: [device("/etc/passwd")] })],
    ["a rule for devices that is none", () => host({ DeviceCgroupRules: ["c 1:2"] })],
    [
      "a device of an unknown kind",
      () => host({ DeviceRequests: [{ Driver: "x", Capabilities: [["gpu", "y"], ["z"]] }] }),
    ],
    ["an unknown option of a tmpfs", () => host({ Tmpfs: { "/t": "size=1m,zork" } })],
    ["an unknown value of a tmpfs", () => host({ Tmpfs: { "/t": "zork=1" } })],
    ["a shared bind of a private mount", () => binds(`${dockerd.places.plain}:/p:rshared`)],
    ["a slave bind of a private mount", () => binds(`${dockerd.places.plain}:/p:slave`)],
    ["a profile with both kinds of names", () => profile({ syscalls: [{ name: "a", names: ["b"], action: "x" }] })],
    [
      "a profile with both kinds of machines",
      () => profile({ architectures: ["a"], archMap: [{ architecture: "b" }] }),
    ],
  ])("%s is refused in the same words", async ([, body]) => {
    const id = await dockerd.created(body(), "refusing");
    const { message, status } = await dockerd
      .post(`/containers/${id}/start`)
      .then(unexpected, (error: Refused) => error);
    await expect(ours(await dockerd.setupOf(id))).rejects.toThrow(new RuntimeFailure(message));
    expect(status).toBe(500);
    await dockerd.removed(id);
  });

  const profile = (rest: object) =>
    host({ SecurityOpt: [`seccomp=${JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", ...rest })}`] });

  describe("beside a container that runs", () => {
    let id: string;
    beforeAll(async () => {
      const body = { User: "bob", Tty: true, Env: ["A=1"], WorkingDir: "/tmp" };
      id = await dockerd.created(
        { ...body, HostConfig: { IpcMode: "shareable", GroupAdd: ["7"], OomScoreAdj: 5 } },
        "running",
      );
      await dockerd.post(`/containers/${id}/start`);
      return () => dockerd.removed(id);
    });

    test.for(["NetworkMode", "PidMode", "IpcMode"] as const)("another one joins it by %s", async (mode) => {
      const other = await dockerd.created(host({ [mode]: `container:${id}` }), "refusing");
      await expect(dockerd.post(`/containers/${other}/start`)).rejects.toThrow(/OCI runtime create failed/);
      const theirs = await dockerd.refusing.spec<OCISpec>(other);
      const { State } = JSON.parse(await dockerd.get(`/containers/${id}/json`));
      const [setup, donor] = [await dockerd.setupOf(other), await dockerd.setupOf(id)];
      const kind = ({ NetworkMode: "network", PidMode: "pid", IpcMode: "ipc" } as const)[mode];
      const path = `/proc/${State.Pid}/ns/${kind === "network" ? "net" : kind}`;
      const joined: ContainerSetup = {
        ...setup,
        join: { [kind]: path },
        ...(mode === "IpcMode" && donor.shm && { shm: donor.shm }),
        ...(mode === "NetworkMode" && { files: donor.files }),
      };
      expect(comparable(await ours(joined))).toEqual(comparable(theirs));
      await dockerd.removed(other);
    });

    test.for<[what: string, body: ExecBody]>([
      ["nothing", {}],
      ["a terminal, variables and a directory", { Tty: true, Env: ["A=2", "B=3", "TERM=x"], WorkingDir: "/etc/" }],
      ["another user", { User: "0:0" }],
      ["all privileges", { Privileged: true }],
    ])("a process with %s in it", async ([, body]) => {
      const Cmd = ["sleep", "0"];
      const exec = JSON.parse(await dockerd.post(`/containers/${id}/exec`, { ...body, Cmd })) as { Id: string };
      // Of its outcome nothing matters here: not every host can give all privileges.
      await dockerd.post(`/exec/${exec.Id}/start`, { Detach: true }).catch(() => {});
      const theirs = await dockerd.running.process<OCIProcess>();
      const setup = await dockerd.setupOf(id);
      const first = (await ours(setup)).process;
      expect(comparableProcess(await execSpec(execSetup(setup, first, { ...body, Cmd }), facts))).toEqual(
        comparableProcess(theirs),
      );
    });
  });
});

interface ExecBody {
  User?: string;
  Tty?: boolean;
  Env?: string[];
  WorkingDir?: string;
  Privileged?: boolean;
  Cmd?: string[];
}

function execSetup({ rootfs, config, host }: ContainerSetup, first: OCIProcess, body: ExecBody): ExecSetup {
  const { User, Tty, Env, WorkingDir, Privileged, Cmd = [] } = body;
  return {
    ...{ rootfs, config, host, running: first, command: Cmd },
    ...(User && { user: User }),
    ...(Tty && { tty: Tty }),
    ...(Env && { env: Env }),
    ...(WorkingDir && { workingDir: WorkingDir }),
    ...(Privileged && { privileged: Privileged }),
  };
}

function unexpected(): never {
  throw new Error("dockerd did not refuse it");
}

import { mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Dockerd } from "../../../test/oracle/dockerd.js";
import { call, type Refused } from "../../../test/oracle/engine-call.js";
import { lacking, program } from "../../../test/oracle/programs.js";
import { RecordingRuntime } from "../../../test/oracle/recording-runtime.js";
import { output } from "../../../test/oracle/run.js";
import { scratch } from "../../../test/oracle/scratch.js";
import { smallRoot } from "../../../test/oracle/small-root.js";
import type { HostConfig, RunConfig } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import { knownCapabilities } from "./capabilities.js";
import { hostFacts } from "./host-facts.js";
import type { OCIProcess, OCISeccomp, OCISpec } from "./oci.js";
import { defaultProfile } from "./seccomp/default-profile.js";
import type { ContainerSetup, ExecSetup, SetupMount } from "./setup.js";
import { containerSpec, execSpec, specText } from "./spec.js";
import { tmpfsOptions } from "./tmpfs.js";

/** dockerd 20.10 gives away no capability younger than audit_read, even where the kernel has more; and all others. */
const facts = { ...hostFacts(), capabilities: knownCapabilities.slice(0, 38) };

interface Body extends RunConfig {
  HostConfig?: HostConfig;
}

interface StoredMount {
  Type: SetupMount["type"] | "volume";
  Name: string;
  Source: string;
  Destination: string;
  RW: boolean;
  Propagation?: string;
  Spec: {
    BindOptions?: { NonRecursive?: boolean; Propagation?: string };
    TmpfsOptions?: { SizeBytes?: number; Mode?: number };
  };
}

describe.skipIf(lacking("root", "mounts", "dockerd", "containerd", "runc"))("the same as dockerd 20.10", () => {
  let dockerd: Dockerd;
  /** Makes no containers, so that comparing is quick. */
  let refusing: RecordingRuntime;
  let running: RecordingRuntime;
  let rootfs: string;
  /** Has dockerd's root in it. */
  let above: string;
  /** A directory on a mount that propagates, and one on a mount that does not. */
  let shared: string;
  let plain: string;

  beforeAll(async () => {
    const directory = await scratch("/dev/shm");
    const at = (name: string) => join(directory.path, name);
    [rootfs, shared, plain] = [at("tree"), at("shared"), at("plain")];
    above = directory.path;
    for (const path of [rootfs, shared, plain]) await mkdir(path);
    await symlink("/dev/zero", at("link"));
    await mkdir(at("devices/more"), { recursive: true });
    for (const name of ["b", "a", "more/c"])
      await output("mknod", ["-m", "0640", at(`devices/${name}`), "b", "7", "1"]);
    for (const [path, how] of [
      [shared, "--make-shared"],
      [plain, "--make-private"],
    ] as const) {
      await output("mount", ["-t", "tmpfs", "none", path]);
      await output("mount", [how, path]);
    }
    const tar = await smallRoot(["sleep"], {
      "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n\nodd:x:12:zz\n7:x:77:77::/:\n",
      "etc/group": "root:x:0:\nbob:x:1001:\nstaff:x:50:root,bob\nwheel:x:10:bob\n88:x:99:\n",
    });
    await output("tar", ["-x", "-C", rootfs], { input: tar });
    refusing = await RecordingRuntime.make(at("refusing"), { refuses: true });
    running = await RecordingRuntime.make(at("running"));
    const runtimes = ["--add-runtime", `refusing=${refusing.path}`, "--add-runtime", `running=${running.path}`];
    const defaults = ["--default-ulimit", "core=5:6", "--default-ulimit", "nproc=99", "--init-path", init];
    dockerd = await Dockerd.start(at("root"), { args: [...runtimes, ...defaults] });
    await call(dockerd.socket, "/images/create?fromSrc=-&repo=small&tag=1", { method: "POST", body: tar });
    return async () => {
      await dockerd[Symbol.asyncDispose]();
      for (const path of [shared, plain]) await output("umount", [path]);
      await directory[Symbol.asyncDispose]();
    };
  });

  const init = program("true");
  const post = (path: string, body: object = {}) => call(dockerd.socket, path, { method: "POST", body });

  async function created(body: Body, runtime: string): Promise<string> {
    const HostConfig = { NetworkMode: "none", ...body.HostConfig, Runtime: runtime };
    const all = { Image: "small:1", Cmd: ["sleep", "1000"], ...body, HostConfig };
    return (JSON.parse(await post("/containers/create", all)) as { Id: string }).Id;
  }

  const removed = (id: string) => call(dockerd.socket, `/containers/${id}?v=1&force=1`, { method: "DELETE" });

  /** What our engine would know of a container of dockerd's. */
  async function setupOf(id: string): Promise<ContainerSetup> {
    const file = (name: string) => join(dockerd.dataRoot, "containers", id, name);
    const stored = JSON.parse(await readFile(file("config.v2.json"), "utf8"));
    const host = JSON.parse(await readFile(file("hostconfig.json"), "utf8")) as HostConfig;
    const network = !stored.Config.NetworkDisabled && { hosts: file("hosts"), resolvConf: file("resolv.conf") };
    const files = { hostname: file("hostname"), ...network };
    const volume = (name: string) => join(dockerd.dataRoot, "volumes", name, "_data");
    const mounts = Object.values(stored.MountPoints as Record<string, StoredMount>).map((mount) =>
      setupMount(mount.Type === "volume" ? { ...mount, Source: volume(mount.Name) } : mount),
    );
    return {
      ...{ id, rootfs, path: stored.Path, args: stored.Args, config: stored.Config, host, mounts, files, join: {} },
      ...(host.IpcMode === "shareable" && { shm: file("mounts/shm") }),
      ...(host.Init && { init }),
      defaults: {
        ulimits: [
          { Name: "core", Soft: 5, Hard: 6 },
          { Name: "nproc", Soft: 99, Hard: 99 },
        ],
      },
    };
  }

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
      () => ({ HostConfig: { ReadonlyRootfs: true, Binds: [`${plain}:/data`], IpcMode: "shareable" } }),
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
    ["binds", () => binds(`${plain}:/z`, `${plain}:/a/b/c:ro`, `${plain}:/a:private`, `${plain}:/y`)],
    ["binds that propagate", () => binds(`${shared}:/a:shared`, `${shared}:/b:rslave`, `${shared}:/c:ro,slave`)],
    ["a bind of what has dockerd's root in it", () => binds(`${above}:/above:ro`)],
    ["a bind in place of /dev", () => binds(`${plain}:/dev`)],
    ["binds in place of other mounts", () => binds(`${plain}:/dev/shm`, `${plain}:/sys/fs/cgroup:ro`)],
    ["binds in place of a container's files", () => binds(`${rootfs}/etc/group:/etc/hosts:ro`)],
    ["volumes", () => ({ Volumes: { "/anonymous": {} }, HostConfig: { Binds: ["named:/n", "named:/m:ro"] } })],
    [
      "a bind that is not recursive",
      () =>
        host({
          Mounts: [{ Type: "bind", Source: plain, Target: "/p", ReadOnly: true, BindOptions: { NonRecursive: true } }],
        }),
    ],
    [
      "devices",
      () =>
        host({
          Devices: [device("/dev/null", "/dev/mine", "r"), device(`${above}/link`), device(`${above}/devices`, "/net")],
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
    ["an init program", () => host({ Init: true, Binds: [`${plain}:/sbin`] })],
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
    const id = await created(body(), "refusing");
    await expect(post(`/containers/${id}/start`)).rejects.toThrow(/OCI runtime create failed/);
    const theirs = await refusing.spec<OCISpec>(id);
    expect(comparable(await ours(await setupOf(id)))).toEqual(comparable(theirs));
    await removed(id);
  });

  test.for<[string, HostConfig]>([
    ["the usual capabilities", {}],
    ["all capabilities", { CapAdd: ["ALL"] }],
    ["no capabilities", { CapDrop: ["ALL"] }],
  ])("a seccomp profile is narrowed to %s", async ([, HostConfig]) => {
    const SecurityOpt = [`seccomp=${JSON.stringify(defaultProfile)}`];
    const id = await created(host({ ...HostConfig, SecurityOpt }), "refusing");
    await expect(post(`/containers/${id}/start`)).rejects.toThrow(/OCI runtime create failed/);
    const theirs = (await refusing.spec<OCISpec>(id)).linux.seccomp;
    expect((await ours(await setupOf(id))).linux.seccomp).toEqual(theirs);
    await removed(id);
  });

  test("the default profile is that of 20.10 but for what later releases of Docker refuse and allow", async () => {
    for (const HostConfig of [{}, { CapAdd: ["ALL"] }, { CapDrop: ["ALL"] }]) {
      const id = await created({ HostConfig }, "refusing");
      await expect(post(`/containers/${id}/start`)).rejects.toThrow(/OCI runtime create failed/);
      const theirs = (await refusing.spec<OCISpec>(id)).linux.seccomp;
      const own = (await ours(await setupOf(id))).linux.seccomp;
      expect(rulesUnchanged(own)).toEqual(rulesUnchanged(theirs));
      expect({ ...own, syscalls: [] }).toEqual({ ...theirs, syscalls: [] });
      await removed(id);
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
    ["a shared bind of a private mount", () => binds(`${plain}:/p:rshared`)],
    ["a slave bind of a private mount", () => binds(`${plain}:/p:slave`)],
    ["a profile with both kinds of names", () => profile({ syscalls: [{ name: "a", names: ["b"], action: "x" }] })],
    [
      "a profile with both kinds of machines",
      () => profile({ architectures: ["a"], archMap: [{ architecture: "b" }] }),
    ],
  ])("%s is refused in the same words", async ([, body]) => {
    const id = await created(body(), "refusing");
    const { message, status } = await post(`/containers/${id}/start`).then(unexpected, (error: Refused) => error);
    await expect(ours(await setupOf(id))).rejects.toThrow(new RuntimeFailure(message));
    expect(status).toBe(500);
    await removed(id);
  });

  const profile = (rest: object) =>
    host({ SecurityOpt: [`seccomp=${JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", ...rest })}`] });

  describe("beside a container that runs", () => {
    let id: string;
    beforeAll(async () => {
      const body = { User: "bob", Tty: true, Env: ["A=1"], WorkingDir: "/tmp" };
      id = await created({ ...body, HostConfig: { IpcMode: "shareable", GroupAdd: ["7"], OomScoreAdj: 5 } }, "running");
      await post(`/containers/${id}/start`);
      return () => removed(id);
    });

    test.for(["NetworkMode", "PidMode", "IpcMode"] as const)("another one joins it by %s", async (mode) => {
      const other = await created(host({ [mode]: `container:${id}` }), "refusing");
      await expect(post(`/containers/${other}/start`)).rejects.toThrow(/OCI runtime create failed/);
      const theirs = await refusing.spec<OCISpec>(other);
      const { State } = JSON.parse(await call(dockerd.socket, `/containers/${id}/json`));
      const [setup, donor] = [await setupOf(other), await setupOf(id)];
      const kind = ({ NetworkMode: "network", PidMode: "pid", IpcMode: "ipc" } as const)[mode];
      const path = `/proc/${State.Pid}/ns/${kind === "network" ? "net" : kind}`;
      const joined: ContainerSetup = {
        ...setup,
        join: { [kind]: path },
        ...(mode === "IpcMode" && donor.shm && { shm: donor.shm }),
        ...(mode === "NetworkMode" && { files: donor.files }),
      };
      expect(comparable(await ours(joined))).toEqual(comparable(theirs));
      await removed(other);
    });

    test.for<[what: string, body: ExecBody]>([
      ["nothing", {}],
      ["a terminal, variables and a directory", { Tty: true, Env: ["A=2", "B=3", "TERM=x"], WorkingDir: "/etc/" }],
      ["another user", { User: "0:0" }],
      ["all privileges", { Privileged: true }],
    ])("a process with %s in it", async ([, body]) => {
      const Cmd = ["sleep", "0"];
      const exec = JSON.parse(await post(`/containers/${id}/exec`, { ...body, Cmd })) as { Id: string };
      // Of its outcome nothing matters here: not every host can give all privileges.
      await post(`/exec/${exec.Id}/start`, { Detach: true }).catch(() => {});
      const theirs = await running.process<OCIProcess>();
      const setup = await setupOf(id);
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

function setupMount({ Type, Source, Destination, RW, Propagation, Spec }: StoredMount): SetupMount {
  return {
    type: Type === "tmpfs" ? "tmpfs" : "bind",
    source: Source,
    destination: Destination,
    rw: RW,
    ...(Type === "bind" && Propagation && { propagation: Propagation }),
    ...(!Spec.BindOptions?.Propagation && { propagationIsImplied: true }),
    ...(Spec.BindOptions?.NonRecursive && { nonRecursive: true }),
    ...(Type === "tmpfs" && { options: tmpfsOptions(Spec.TmpfsOptions ?? {}) }),
  };
}

/** Calls of which Docker changed its mind after 20.10, or that came after it. */
const changed = new Set(
  `io_uring_enter io_uring_register io_uring_setup socket name_to_handle_at process_vm_readv process_vm_writev
   pkey_alloc pkey_free pkey_mprotect cachestat fchmodat2 futex_requeue futex_wait futex_wake map_shadow_stack mseal
   getxattrat listxattrat removexattrat setxattrat uretprobe set_mempolicy_home_node clock_settime64`.split(/\s+/),
);

/** Each call with what is done about it, and for which arguments. */
function rulesUnchanged(seccomp: OCISeccomp | undefined): string[] {
  const rules = (seccomp?.syscalls ?? []).flatMap(({ names, ...rest }) => names.map((name) => ({ name, ...rest })));
  return rules
    .filter(({ name }) => !changed.has(name))
    .map((rule) => JSON.stringify(rule))
    .sort();
}

function unexpected(): never {
  throw new Error("dockerd did not refuse it");
}

/** Without what has to differ, and in one order where dockerd's is that of a Go map. */
function comparable(spec: OCISpec): unknown {
  // Networks are joined by the path of their namespace, not by a hook.
  const { ociVersion: _, ...rest } = { ...spec, hooks: undefined };
  const { seccomp: __, namespaces, resources, ...linux } = spec.linux;
  return {
    ...rest,
    root: { ...spec.root, path: "" },
    process: comparableProcess(spec.process),
    mounts: byKey(spec.mounts, ({ destination }) => destination),
    linux: {
      ...linux,
      // dockerd names the host's namespace by a path of its own, where leaving it out means the same.
      namespaces: byKey(namespaces, ({ type }) => type).filter(({ path }) => !path?.endsWith("/netns/default")),
      // Runtimes have given up limits of kernel memory.
      resources: { ...resources, memory: { ...resources.memory, kernel: undefined } },
    },
  };
}

function comparableProcess({ user, rlimits = [], ...process }: OCIProcess): unknown {
  const [gid, ...groups] = user.additionalGids;
  return {
    ...process,
    user: { ...user, additionalGids: [gid, ...groups.sort()] },
    rlimits: byKey(rlimits, ({ type }) => type),
  };
}

function byKey<T>(items: readonly T[], key: (item: T) => string): T[] {
  return items.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

import { mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { Dockerd } from "../../../test/oracle/dockerd.js";
import { call } from "../../../test/oracle/engine-call.js";
import { program } from "../../../test/oracle/programs.js";
import { RecordingRuntime } from "../../../test/oracle/recording-runtime.js";
import { output } from "../../../test/oracle/run.js";
import { type Scratch, scratch } from "../../../test/oracle/scratch.js";
import { smallRoot } from "../../../test/oracle/small-root.js";
import type { HostConfig, RunConfig } from "../../spec/index.js";
import type { OCIProcess, OCISeccomp, OCISpec } from "./oci.js";
import type { ContainerSetup, SetupMount } from "./setup.js";
import { tmpfsOptions } from "./tmpfs.js";

export interface Body extends RunConfig {
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

const init = program("true");

/** Mounts of the machine's that binds are tried with. */
interface Places {
  /** Has the container's tree, and dockerd's root, in it. */
  readonly above: string;
  /** A directory on a mount that propagates, and one on a mount that does not. */
  readonly shared: string;
  readonly plain: string;
}

/** A dockerd whose runtimes note what they are told, with an image `small:1` that has users and groups. */
export class SpecOracle implements AsyncDisposable {
  readonly #dockerd: Dockerd;
  /** Makes no containers, so that comparing is quick. */
  readonly refusing: RecordingRuntime;
  readonly running: RecordingRuntime;
  readonly places: Places;
  readonly #directory: Scratch;

  private constructor(directory: Scratch, places: Places, dockerd: Dockerd, runtimes: RecordingRuntime[]) {
    const [refusing, running] = runtimes as [RecordingRuntime, RecordingRuntime];
    this.#directory = directory;
    this.places = places;
    this.#dockerd = dockerd;
    this.refusing = refusing;
    this.running = running;
  }

  static async start(): Promise<SpecOracle> {
    const directory = await scratch("/dev/shm");
    const at = (name: string) => join(directory.path, name);
    const places = { above: directory.path, shared: at("shared"), plain: at("plain") };
    await makePlaces(places);
    const tar = await smallRoot(["sleep"], {
      "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n\nodd:x:12:zz\n7:x:77:77::/:\n",
      "etc/group": "root:x:0:\nbob:x:1001:\nstaff:x:50:root,bob\nwheel:x:10:bob\n88:x:99:\n",
    });
    await mkdir(at("tree"));
    await output("tar", ["-x", "-C", at("tree")], { input: tar });
    const refusing = await RecordingRuntime.make(at("refusing"), { refuses: true });
    const running = await RecordingRuntime.make(at("running"));
    const runtimes = ["--add-runtime", `refusing=${refusing.path}`, "--add-runtime", `running=${running.path}`];
    const defaults = ["--default-ulimit", "core=5:6", "--default-ulimit", "nproc=99", "--init-path", init];
    const dockerd = await Dockerd.start(at("root"), { args: [...runtimes, ...defaults] });
    await call(dockerd.socket, "/images/create?fromSrc=-&repo=small&tag=1", { method: "POST", body: tar });
    return new SpecOracle(directory, places, dockerd, [refusing, running]);
  }

  /** What is in the image. */
  get rootfs(): string {
    return join(this.places.above, "tree");
  }

  get(path: string): Promise<string> {
    return call(this.#dockerd.socket, path);
  }

  post(path: string, body: object = {}): Promise<string> {
    return call(this.#dockerd.socket, path, { method: "POST", body });
  }

  async created(body: Body, runtime: "refusing" | "running"): Promise<string> {
    const HostConfig = { NetworkMode: "none", ...body.HostConfig, Runtime: runtime };
    const all = { Image: "small:1", Cmd: ["sleep", "1000"], ...body, HostConfig };
    return (JSON.parse(await this.post("/containers/create", all)) as { Id: string }).Id;
  }

  async removed(id: string): Promise<void> {
    await call(this.#dockerd.socket, `/containers/${id}?v=1&force=1`, { method: "DELETE" });
  }

  /** What our engine would know of a container of dockerd's. */
  async setupOf(id: string): Promise<ContainerSetup> {
    const file = (name: string) => join(this.#dockerd.dataRoot, "containers", id, name);
    const stored = JSON.parse(await readFile(file("config.v2.json"), "utf8"));
    const host = JSON.parse(await readFile(file("hostconfig.json"), "utf8")) as HostConfig;
    const network = !stored.Config.NetworkDisabled && { hosts: file("hosts"), resolvConf: file("resolv.conf") };
    const files = { hostname: file("hostname"), ...network };
    const volume = (name: string) => join(this.#dockerd.dataRoot, "volumes", name, "_data");
    const mounts = Object.values(stored.MountPoints as Record<string, StoredMount>).map((mount) =>
      setupMount(mount.Type === "volume" ? { ...mount, Source: volume(mount.Name) } : mount),
    );
    const { Path: path, Args: args, Config: config } = stored;
    return {
      ...{ id, rootfs: this.rootfs, path, args, config, host, mounts, files, join: {} },
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dockerd[Symbol.asyncDispose]();
    for (const path of [this.places.shared, this.places.plain]) await output("umount", [path]);
    await this.#directory[Symbol.asyncDispose]();
  }
}

async function makePlaces({ above, shared, plain }: Places): Promise<void> {
  const at = (name: string) => join(above, name);
  await symlink("/dev/zero", at("link"));
  await mkdir(at("devices/more"), { recursive: true });
  for (const name of ["b", "a", "more/c"]) await output("mknod", ["-m", "0640", at(`devices/${name}`), "b", "7", "1"]);
  for (const [path, how] of [[shared, "--make-shared"] as const, [plain, "--make-private"] as const]) {
    await mkdir(path);
    await output("mount", ["-t", "tmpfs", "none", path]);
    await output("mount", [how, path]);
  }
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
export function rulesUnchanged(seccomp: OCISeccomp | undefined): string[] {
  const rules = (seccomp?.syscalls ?? []).flatMap(({ names, ...rest }) => names.map((name) => ({ name, ...rest })));
  return rules
    .filter(({ name }) => !changed.has(name))
    .map((rule) => JSON.stringify(rule))
    .sort();
}

/** Without what has to differ, and in one order where dockerd's is that of a Go map. */
export function comparable(spec: OCISpec): unknown {
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

export function comparableProcess({ user, rlimits = [], ...process }: OCIProcess): unknown {
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

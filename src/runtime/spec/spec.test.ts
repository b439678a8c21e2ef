import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type HostConfig, RawNumber } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import { type HostFacts, hostFacts } from "./host-facts.js";
import type { ContainerSetup } from "./setup.js";
import { containerSpec, specText } from "./spec.js";

/** What the machine of the other tests may not be. */
describe("a spec for another host", () => {
  const rootfs = mkdtempSync(join(tmpdir(), "layerkit-test-"));
  afterAll(() => rmSync(rootfs, { recursive: true }));

  const spec = (host: HostConfig, facts: Partial<HostFacts> = {}, more: Partial<ContainerSetup> = {}) => {
    const rest = { path: "sh", args: [], config: { Hostname: "h" }, mounts: [], files: {}, join: {} };
    return containerSpec({ id: "ID", rootfs, host, ...rest, ...more }, { ...hostFacts(), ...facts });
  };

  test("with control groups of version 2 they are the container's own, and have no swappiness", async () => {
    const asked = { Memory: 1 << 26, MemorySwappiness: 10, OomKillDisable: true };
    const { linux } = await spec(asked, { cgroup2: true });
    expect(linux.namespaces).toContainEqual({ type: "cgroup" });
    expect(linux.resources.memory).toEqual({ limit: 1 << 26 });
    expect((await spec({ Privileged: true }, { cgroup2: true })).linux.namespaces).not.toContainEqual({
      type: "cgroup",
    });
  });

  test("with other machines and kernels the filter is another", async () => {
    const filter = async (facts: Partial<HostFacts>) => {
      const { seccomp } = (await spec({}, facts)).linux;
      return { architectures: seccomp?.architectures, names: seccomp?.syscalls.flatMap(({ names }) => names) ?? [] };
    };
    const [amd, arm, old] = await Promise.all([
      filter({ arch: "x64" }),
      filter({ arch: "arm64" }),
      filter({ arch: "x64", kernel: [4, 4] }),
    ]);
    expect(amd.architectures).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
    expect(arm.architectures).toEqual(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
    expect([amd.names.includes("arch_prctl"), arm.names.includes("arch_prctl")]).toEqual([true, false]);
    expect([amd.names.includes("ptrace"), old.names.includes("ptrace")]).toEqual([true, false]);
  });

  test("without seccomp there is no filter, and none can be asked for", async () => {
    expect((await spec({}, { seccomp: false })).linux.seccomp).toBeUndefined();
    const asked = spec({ SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] }, { seccomp: false });
    await expect(asked).rejects.toThrow(/^seccomp is not enabled in your kernel/);
  });

  test.for([
    ["[]", "not an object"],
    ["{", /^Decoding seccomp profile failed: /],
    ["{}", "no defaultAction"],
    ['{"defaultAction":"a","syscalls":{}}', "syscalls is not a list"],
    ['{"defaultAction":"a","syscalls":[1]}', "a rule without names or action"],
    ['{"defaultAction":"a","syscalls":[null]}', "a rule without names or action"],
    ['{"defaultAction":"a","syscalls":[{"names":["b"]}]}', "a rule without names or action"],
    ['{"defaultAction":"a","syscalls":[{"names":["b"],"action":"c","args":1}]}', "args of a rule is not a list"],
    ['{"defaultAction":"a","syscalls":[{"name":"b","action":"c","includes":{"caps":1}}]}', "no condition"],
    ['{"defaultAction":"a","syscalls":[{"name":"b","action":"c","excludes":{"minKernel":4}}]}', "no condition"],
    ['{"defaultAction":"a","archMap":[null]}', undefined],
    ['{"defaultAction":"a","archMap":[{"subArchitectures":[1]}]}', "archMap is not a list of machines"],
    ['{"defaultAction":"a","flags":"x"}', "architectures or flags is not a list"],
  ] as const)("%s is a profile or is told what it is not", async ([text, why]) => {
    const made = spec({ SecurityOpt: [`seccomp=${text}`] });
    await (why === undefined ? expect(made).resolves.toBeDefined() : expect(made).rejects.toThrow(why));
  });

  test("with AppArmor a container is confined unless it is privileged", async () => {
    let loaded = 0;
    const apparmor = { loadUsual: async () => void loaded++ };
    const profile = async (host: HostConfig) => (await spec(host, { apparmor })).process.apparmorProfile;
    expect(await profile({})).toBe("docker-default");
    expect(await profile({ Privileged: true })).toBe("unconfined");
    expect(await profile({ SecurityOpt: ["apparmor=own"] })).toBe("own");
    expect(loaded).toBe(1);
  });

  test("a capability that cannot be given is refused, and left out where it is one of all", async () => {
    const capabilities = hostFacts().capabilities.filter((name) => !/MKNOD|SYS_TIME/.test(name));
    const given = async (host: HostConfig) => (await spec(host, { capabilities })).process.capabilities.bounding;
    await expect(given({ CapAdd: ["sys_time"] })).rejects.toThrow(
      new RuntimeFailure(
        'invalid CapAdd: capability not supported by your kernel or not available in the current environment: "CAP_SYS_TIME"',
      ),
    );
    expect(await given({})).not.toContain("CAP_MKNOD");
    expect(await given({ Privileged: true })).toEqual(capabilities);
  });

  test("read-only with what is mounted below, where the kernel can", async () => {
    const mounts = [{ type: "bind", source: "/", destination: "/m", rw: false, readOnlyRecursively: true }] as const;
    const options = async (kernel: HostFacts["kernel"]) =>
      (await spec({}, { kernel }, { mounts })).mounts.at(-1)?.options;
    expect([await options([5, 12]), await options([5, 11])]).toEqual([
      ["rbind", "rro"],
      ["rbind", "ro"],
    ]);
  });

  test("numbers keep every digit", async () => {
    const Memory = new RawNumber("9223372036854771712");
    const Ulimits = [{ Name: "core", Soft: -1, Hard: -1 }];
    const profile =
      '{"defaultAction":"a","syscalls":[{"names":["b"],"action":"c","args":[{"index":0,"value":18446744073709551615,"op":"d"}]}]}';
    const text = specText(await spec({ Memory, Ulimits, SecurityOpt: [`seccomp=${profile}`] }));
    expect(text).toContain('"limit":9223372036854771712');
    expect(text).toContain('"hard":18446744073709551615');
    expect(text).toContain('"value":18446744073709551615');
  });

  test("another's namespace has to be named by its path", async () => {
    await expect(spec({ PidMode: "container:x" })).rejects.toThrow("no pid namespace of container:x to join");
    const { linux } = await spec({ PidMode: "container:x" }, {}, { join: { pid: "/proc/1/ns/pid", network: "/n" } });
    expect(linux.namespaces).toContainEqual({ type: "pid", path: "/proc/1/ns/pid" });
    expect(linux.namespaces).toContainEqual({ type: "network", path: "/n" });
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { program } from "../test/oracle/programs.js";
import { output, run } from "../test/oracle/run.js";
import type { Contender } from "./contenders.js";

/** Pulls and unpacks as `ctr images pull` does. */
export async function startContainerd(directory: string): Promise<Contender> {
  await mkdir(directory, { recursive: true });
  const at = (name: string) => join(directory, name);
  await writeFile(at("config.toml"), 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
  const log = openSync(at("log"), "a");
  const flags = ["--config", at("config.toml"), "--root", at("root"), "--state", at("state"), "--address", at("sock")];
  const child = spawn(program("containerd"), flags, { stdio: ["ignore", log, log] });
  closeSync(log);
  const ctr = (...args: string[]) => run("ctr", ["--address", at("sock"), ...args], { timeoutMs: 120_000 });
  for (let tries = 0; (await ctr("version")).status !== 0; tries++) {
    if (tries > 100 || child.exitCode !== null) throw new Error(`containerd does not start: see ${at("log")}`);
    await delay(50);
  }
  const must = async (...args: string[]) => {
    const { status, stderr } = await ctr(...args);
    if (status !== 0) throw new Error(`ctr ${args.join(" ")}: ${stderr.trim()}`);
  };
  return {
    name: "containerd",
    pids: async () => [child.pid ?? -1],
    pull: (reference) => must("images", "pull", "--plain-http", reference),
    // Waits until what nothing refers to is collected.
    remove: async (reference) => void (await ctr("images", "rm", "--sync", reference)),
    [Symbol.asyncDispose]: async () => {
      const exit = once(child, "exit");
      if (child.exitCode === null && child.kill("SIGTERM")) await exit;
    },
  };
}

/** No daemon: each command is a process of its own. */
export async function startPodman(directory: string): Promise<Contender> {
  const tmp = join(directory, "tmp");
  await mkdir(tmp, { recursive: true });
  const where = ["--root", join(directory, "root"), "--runroot", join(directory, "run"), "--storage-driver", "overlay"];
  const podman = (...args: string[]) => output("podman", [...where, ...args], { env: { TMPDIR: tmp } });
  return {
    name: "podman",
    pids: async () => [],
    pull: async (reference) => void (await podman("pull", "--quiet", "--tls-verify=false", reference)),
    remove: async (reference) => void (await podman("rmi", "--force", reference).catch(() => {})),
    [Symbol.asyncDispose]: async () => {
      await run("umount", ["--lazy", join(directory, "root/overlay")]);
    },
  };
}

/** Copies into an OCI layout by skopeo, and unpacks all layers into one tree. */
export async function startUmoci(directory: string): Promise<Contender> {
  const [layout, bundle] = [join(directory, "layout"), join(directory, "bundle")];
  const remove = async () => {
    for (const each of [layout, bundle]) await rm(each, { recursive: true, force: true });
  };
  await mkdir(directory, { recursive: true });
  return {
    name: "umoci",
    pids: async () => [],
    pull: async (reference) => {
      await rm(bundle, { recursive: true, force: true });
      await output("skopeo", ["copy", "-q", "--src-tls-verify=false", `docker://${reference}`, `oci:${layout}:latest`]);
      await output("umoci", ["unpack", "--image", `${layout}:latest`, bundle]);
    },
    remove,
    [Symbol.asyncDispose]: remove,
  };
}

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rename, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory, dockerPackage, find } from "../oracle/programs.js";

/**
 * Makes a bare Debian ready for the tests: installs the packages whose programs are missing, and unpacks dockerd
 * beside the machine's own docker, never over it. Costs nothing when all is there. What cannot be had (not root, no
 * network, no Debian) is said in one line each; the tests that need it skip.
 */
export async function prepare(packages: Readonly<Record<string, string>>): Promise<void> {
  const missing = Object.keys(packages).filter((program) => find(program) === undefined);
  const docker = ["dockerd", "docker"].filter((program) => find(program) === undefined);
  if (missing.length + docker.length === 0) return;
  const obstacle = obstacleToInstall();
  if (obstacle === undefined)
    await install(
      missing.map((program) => packages[program] as string),
      docker.length > 0,
    );
  for (const program of [...missing, ...docker].filter((name) => find(name) === undefined)) {
    const from = packages[program] ?? "docker.io";
    console.log(`test set-up: no ${program} (Debian: ${from}), ${obstacle ?? "see above"}; tests that need it skip`);
  }
}

function obstacleToInstall(): string | undefined {
  if (process.getuid?.() !== 0) return "and only root can install it";
  return find("apt-get") === undefined ? "and there is no apt-get" : undefined;
}

async function install(names: readonly string[], withDocker: boolean): Promise<void> {
  console.log(`test set-up: installing ${[...names, ...(withDocker ? ["dockerd"] : [])].join(" ")}`);
  if (!(await apt(["update"]))) return;
  if (names.length > 0) {
    await withoutServices(() => apt(["install", "--no-install-recommends", ...names]));
  }
  if (withDocker) await unpackDocker();
}

/** Debian asks this file before it starts a service; one that is there is somebody's and stays as it is. */
const policy = "/usr/sbin/policy-rc.d";

async function withoutServices(work: () => Promise<unknown>): Promise<void> {
  const ours = await writeFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755, flag: "wx" }).then(
    () => true,
    () => false,
  );
  const interrupted = () => void unlink(policy).finally(() => process.exit(130));
  if (ours) process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    await work();
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    if (ours) await unlink(policy);
  }
}

async function unpackDocker(): Promise<void> {
  await mkdir(cacheDirectory, { recursive: true });
  const scratch = await mkdtemp(join(cacheDirectory, "docker-"));
  try {
    if (!(await apt(["download", "docker.io"], scratch))) return;
    const archive = (await readdir(scratch)).find((name) => name.endsWith(".deb"));
    if (archive === undefined || !(await ran("dpkg-deb", ["-x", archive, "unpacked"], scratch))) return;
    await rename(join(scratch, "unpacked"), dockerPackage);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const aptOptions = ["-qq", "-y", "-oDPkg::Lock::Timeout=300", "-oAcquire::Retries=2", "-oAPT::Sandbox::User=root"];

function apt(command: readonly string[], cwd?: string): Promise<boolean> {
  return ran("apt-get", [...aptOptions, ...command], cwd);
}

/** Whether it succeeded. What it said is shown only when it did not. */
async function ran(program: string, args: readonly string[], cwd?: string): Promise<boolean> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise((resolve) => child.once("error", resolve).once("close", resolve));
  if (status !== 0) console.log(`test set-up: ${program} ${args.at(-1)} failed: ${said.trim().slice(-500)}`);
  return status === 0;
}

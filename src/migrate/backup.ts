import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ensureDirectory, syncFileSystem } from "../disk/index.js";
import { Conflict, DataLoss, InvalidParameter, Unavailable } from "../spec/index.js";
import type { Tell } from "./report.js";
import { names } from "./root.js";
import { migrateThreads } from "./threads.js";

/**
 * Copies a data root with owners, times, xattrs, devices, hard links and holes, sharing blocks where the file system
 * can, and compares the copy with it. The copying is cp(1)'s of GNU, which knows all of that.
 *
 * @param to made; what is there has to be an empty directory
 * @throws Unavailable: no room, or no such cp; DataLoss: the copy differs
 */
export async function backUp(root: string, to: string, tell: Tell): Promise<void> {
  const target = resolve(to);
  await ensureDirectory(dirname(target), 0o755);
  await mkdir(target, { recursive: true, mode: 0o710 });
  const real = await realpath(target);
  if (`${real}/`.startsWith(`${await realpath(root)}/`)) throw new InvalidParameter(`${to} is inside the data root`);
  if (names(real).length > 0) throw new Conflict(`${to} is not empty: name a new directory for the backup`);
  tell({ id: "backup", status: "Copying", progressDetail: { current: 0 } });
  await copied(root, real);
  await syncFileSystem(real);
  tell({ id: "backup", status: "Comparing", progressDetail: { current: 0 } });
  const job = { kind: "compare", a: root, b: real, exact: true } as const;
  const difference = await migrateThreads.run<string | undefined>(job);
  if (difference !== undefined) throw new DataLoss(`the backup in ${to} differs: ${difference}`);
  tell({ id: "backup", status: `${to} is the same` });
}

async function copied(root: string, to: string): Promise<void> {
  const options = ["--archive", "--one-file-system", "--reflink=auto", "--sparse=auto", "--no-target-directory"];
  const cp = spawn("cp", [...options, join(root, "."), to], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, LC_ALL: "C" },
  });
  let said = "";
  cp.stderr.on("data", (text) => {
    said = `${said}${text}`.slice(0, 2000);
  });
  const [status] = await Promise.race([
    once(cp, "close"),
    once(cp, "error").then(([error]) => Promise.reject(unusable(error))),
  ]);
  if (status !== 0) throw new Unavailable(`cannot back up to ${to}: ${said.trim().split("\n")[0] ?? status}`);
}

function unusable(cause: unknown): Unavailable {
  return new Unavailable("a backup needs cp of GNU coreutils: install it, or leave --backup out", { cause });
}

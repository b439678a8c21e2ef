import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { messageOf } from "../../spec/index.js";
import { statOf } from "./disk.js";
import { may } from "./namespace.js";
import type { Tour, TourContainer } from "./state.js";

const nobody = 65534;

/** What is run in any image that has a shell; for the sample there is more to see. */
const commands = ["ls -l /", "cat /etc/os-release"];
export const sampleCommands = ["ls -l /var", "cat /etc/app.conf", "ls /usr/share/greetings", "cat /etc/motd", "id"];

/** Section: programs of the image, run with the merged view as their root. */
export async function showPrograms(tour: Tour, container: TourContainer, more: readonly string[]): Promise<void> {
  const { page } = tour;
  page.section("The merged view is a root file system");
  if (!(await statOf(join(container.merged, "bin/sh"))) && !(await statOf(join(container.merged, "usr/bin/sh")))) {
    page.text("This image has no /bin/sh, so nothing is run in it.");
    return;
  }
  if (!(await may("chroot"))) {
    page.text("Only root may change its root directory, so nothing is run in it here.");
    return;
  }
  const asNobody = (await mayChangeUser()) ? [`--userspec=${nobody}:${nobody}`, "--groups="] : [];
  page.text(`chroot(8) makes the merged view the root directory of a process${asNobody.length > 0 ? ", here of nobody's" : ""}.
    The programs and libraries are those of the layers, the files those that the container sees now:`);
  for (const command of [...commands, ...more]) {
    page.gap();
    page.lines([
      page.styles.bold(`# ${command}`),
      ...(await ran(tour.signal, [...asNobody, container.merged], command)),
    ]);
  }
}

/** In a user namespace with one id, and for ordinary users, there is no other user to change to. */
async function mayChangeUser(): Promise<boolean> {
  const map = await readFile("/proc/self/uid_map", "utf8");
  const covers = map.split("\n").some((line) => {
    const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return first <= nobody && nobody < first + count;
  });
  return process.getuid?.() === 0 && covers;
}

/** What the command printed, at most 20 lines. A failure is printed, too: it is a fact like others. */
async function ran(signal: AbortSignal, chroot: readonly string[], command: string): Promise<string[]> {
  const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
  const search = { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` };
  const args = [...chroot, "/bin/sh", "-c", `PATH=${env.PATH}; exec 2>&1; ${command}`];
  try {
    const { stdout } = await promisify(execFile)("chroot", args, { signal, env: search, timeout: 10_000 });
    return stdout.trimEnd().split("\n").slice(0, 20);
  } catch (error) {
    signal.throwIfAborted();
    const said = (error as { stdout?: string; stderr?: string }) ?? {};
    return (`${said.stdout ?? ""}${said.stderr ?? ""}`.trim() || messageOf(error)).split("\n").slice(0, 20);
  }
}

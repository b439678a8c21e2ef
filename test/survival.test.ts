import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call } from "./oracle/engine-call.js";
import { Layerkitd } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { leftovers } from "./oracle/root-leftovers.js";
import { output } from "./oracle/run.js";
import { runLeftovers } from "./oracle/run-leftovers.js";
import { sampleArchive } from "./oracle/sample-image.js";
import { loopDisk, type Scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts", "loop", "docker", "runc", "mkfs.ext4");
const timeout = 60_000;

/** Numbered lines without an end, a burst at a time. */
const counting = (to: string) =>
  `i=0; while :; do j=0; while test $j -lt 200; do i=$((i+1)) j=$((j+1)); echo $i${to}; done; sleep 0.1; done`;
/** Waits for a line of a FIFO in /go, and ends. */
const until = (name: string, status: number) => `read line < /go/${name}; exit ${status}`;
const fifos = ["ends", "again", "gives-up", "brief", "lasting", "never"];

/** The lines are numbered from 1 without a gap. */
function expectWhole(text: string, what: string): void {
  const numbers = text.trim().split(/\r?\n/).map(Number);
  const wrong = numbers.findIndex((number, i) => number !== i + 1);
  expect(wrong < 0 ? "" : `${what}: line ${wrong + 1} of ${numbers.length} is ${numbers[wrong]}`).toBe("");
}

describe.skipIf(skip)("containers survive their daemon", () => {
  let disk: Scratch;
  let root: string;
  let go: string;
  let daemon: Layerkitd;
  const ids = new Set<string>();
  const held = new Map<string, number>();

  beforeAll(async () => {
    disk = await loopDisk("ext4", "1G");
    root = join(disk.path, "root");
    go = join(disk.path, "go");
    mkdirSync(go);
    await output(
      "mkfifo",
      fifos.map((name) => join(go, name)),
    );
    // Open at both ends: a line that is written stays until it is read.
    for (const name of fifos) held.set(name, openSync(join(go, name), "r+"));
    daemon = await Layerkitd.start(root);
    await daemon.tryDocker(["load"], { input: await sampleArchive("sample:1") });
  });
  afterAll(async () => {
    // A test that failed has left what it had.
    await daemon[Symbol.asyncDispose]();
    const last = await Layerkitd.start(root);
    const left = (await last.docker("ps", "-aq")).split("\n").filter(Boolean);
    if (left.length > 0) await last.docker("rm", "-f", ...left);
    await last[Symbol.asyncDispose]();
    for (const fd of held.values()) closeSync(fd);
    await disk[Symbol.asyncDispose]();
  });

  const signal = (name: string) => writeSync(held.get(name)!, "\n");
  const stateOf = async (name: string) =>
    JSON.parse(await daemon.docker("inspect", "--format", "{{json .State}}", name));

  async function started(name: string, options: readonly string[], command: string): Promise<{ pid: number }> {
    const fixed = ["run", "-d", "--name", name, "--network", "none", "-v", `${go}:/go`];
    ids.add(await daemon.docker(...fixed, ...options, "sample:1", "sh", "-c", command));
    return { pid: Number(await daemon.docker("inspect", "--format", "{{.State.Pid}}", name)) };
  }

  const gone = (pid: number) => expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);

  test.for(["SIGKILL", "SIGTERM"] as const)(
    "that ends by %s, and no line or exit is lost",
    { timeout },
    async (end) => {
      await started("out", [], `${counting("")} & ${counting(" >&2")}`);
      rmSync(join(go, "healthy"), { force: true });
      const following = daemon.tryDocker(["logs", "-f", "out"]);
      const attached = daemon.tryDocker(["attach", "--no-stdin", "out"]);
      await started("tty", ["-t", "--stop-timeout", "0"], counting(""));
      const ends = await started("ends", [], `echo last; echo > /written; ${until("ends", 7)}`);
      const again = await started("again", ["--restart", "on-failure:5"], `echo run; ${until("again", 3)}`);
      const gives = await started("gives-up", ["--restart", "on-failure:0"], until("gives-up", 0));
      const brief = await started("brief", ["--rm"], until("brief", 0));
      await started("lasting", ["--rm", "--ipc", "shareable"], until("lasting", 4));
      await started("frozen", ["--health-cmd", "true", "--health-interval", "100ms"], until("never", 0));
      const shot = await started("shot", [], until("never", 0));
      const health = ["--health-cmd", "test -e /go/healthy", "--health-interval", "100ms", "--health-retries", "1"];
      await started("health", health, until("never", 0));
      await expect.poll(async () => (await stateOf("frozen")).Health.Status, { timeout: 10_000 }).toBe("healthy");
      await daemon.docker("pause", "frozen");
      const waiting = daemon.tryDocker(["wait", "out"]);

      if (end === "SIGKILL") daemon.kill();
      await daemon[Symbol.asyncDispose]();
      expect((await waiting).status).not.toBe(0);
      expectWhole((await following).stdout.replace(/\d+$/, ""), "what had been followed");
      await attached;
      const before = new Date();
      for (const name of ["ends", "again", "gives-up", "brief"]) signal(name);
      process.kill(shot.pid, "SIGKILL");
      for (const { pid } of [ends, again, gives, brief, shot]) await gone(pid);
      const after = new Date();
      daemon = await Layerkitd.start(root);

      expect(await daemon.docker("wait", "ends", "shot", "gives-up")).toBe("7\n137\n0");
      const finished = new Date((await stateOf("ends")).FinishedAt);
      expect(finished.getTime()).toBeGreaterThanOrEqual(before.getTime());
      expect(finished.getTime()).toBeLessThanOrEqual(after.getTime());
      expect(await daemon.docker("logs", "ends")).toBe("last");
      expect(await daemon.docker("diff", "ends")).toContain("A /written");
      await expect.poll(() => daemon.docker("logs", "again"), { timeout: 10_000 }).toBe("run\nrun");
      expect(await daemon.docker("inspect", "--format", "{{.RestartCount}} {{.State.Status}}", "again")).toBe(
        "1 running",
      );
      await expect.poll(async () => (await daemon.tryDocker(["inspect", "brief"])).status, { timeout: 10_000 }).toBe(1);
      const events = ["events", "--since", String(before.getTime() / 1000), "--until", String(Date.now() / 1000)];
      const died = await daemon.docker(...events, "--filter", "event=die", "--format", "{{.Actor.Attributes.name}}");
      expect(died.split("\n").sort()).toEqual(["again", "brief", "ends", "gives-up", "shot"]);

      // What goes on does so with all that belongs to it.
      await expect.poll(async () => (await stateOf("health")).Health.Status, { timeout: 10_000 }).toBe("unhealthy");
      writeFileSync(join(go, "healthy"), "");
      await expect.poll(async () => (await stateOf("health")).Health.Status, { timeout: 10_000 }).toBe("healthy");
      expect(await stateOf("frozen")).toMatchObject({ Status: "paused", Health: { Status: "starting" } });
      await daemon.docker("unpause", "frozen");
      await expect.poll(async () => (await stateOf("frozen")).Health.Status, { timeout: 10_000 }).toBe("healthy");
      const seen = Number((await daemon.docker("logs", "--tail", "1", "tty")).trim());
      const more = daemon.tryDocker(["logs", "-f", "tty"]);
      expect(await daemon.docker("exec", "lasting", "sh", "-c", "echo x > /added; echo y > /dev/shm/f; echo ran")).toBe(
        "ran",
      );
      expect(await daemon.docker("diff", "lasting")).toContain("A /added");
      await daemon.docker("stop", "-t", "0", "tty", "out");
      expectWhole((await more).stdout, "what was followed");
      expect((await more).stdout.trim().split("\n").length).toBeGreaterThan(seen);
      const { stdout, stderr } = await daemon.tryDocker(["logs", "out"]);
      expectWhole(stdout, "stdout");
      expectWhole(stderr, "stderr");
      signal("lasting");
      await expect
        .poll(async () => (await daemon.tryDocker(["inspect", "lasting"])).status, { timeout: 10_000 })
        .toBe(1);
      for (const name of ["out", "tty"]) {
        await daemon.docker("start", name);
        expect((await stateOf(name)).Running).toBe(true);
      }
      await daemon.docker("rm", "-f", "out", "tty", "ends", "again", "gives-up", "frozen", "shot", "health");
      await expect.poll(() => daemon.docker("ps", "-aq")).toBe("");
      expect(runLeftovers(root, { running: [], others: [...ids] })).toEqual([]);
      expect(daemon.log).not.toMatch(/warn|error/i);
    },
  );

  test("thirty, ten at a time, while the daemon is killed: nothing is left of them", { timeout }, async () => {
    const made: string[] = [];
    const post = (path: string, body?: object) => call(daemon.socket, path, { method: "POST", ...(body && { body }) });
    const one = async () => {
      const body = {
        Image: "sample:1",
        Cmd: ["sleep", "1000"],
        HostConfig: { NetworkMode: "none", IpcMode: "shareable" },
      };
      const { Id: id } = JSON.parse(await post("/containers/create", body)) as { Id: string };
      made.push(id);
      await post(`/containers/${id}/start`);
      const exec = JSON.parse(
        await post(`/containers/${id}/exec`, { Cmd: ["cat", "/etc/hostname"], AttachStdout: true }),
      );
      expect(await post(`/exec/${exec.Id}/start`, { Detach: false })).toContain(id.slice(0, 12));
      await call(daemon.socket, `/containers/${id}?force=1`, { method: "DELETE" });
      if (made.length >= 20) daemon.kill();
    };
    const lane = async () => {
      while (made.length < 30) await one();
    };
    const ends = await Promise.allSettled(Array.from({ length: 10 }, lane));
    expect(ends.some(({ status }) => status === "rejected")).toBe(true);
    await daemon[Symbol.asyncDispose]();
    daemon = await Layerkitd.start(root);
    const left = (await daemon.docker("ps", "-aq")).split("\n").filter(Boolean);
    if (left.length > 0) await daemon.docker("rm", "-f", ...left);
    expect(runLeftovers(root, { running: [], others: made })).toEqual([]);
    expect(await leftovers(root)).toEqual([]);
  });

  test("a removal with somebody else in its tree leaves nothing", { timeout }, async () => {
    await started("busy", [], "sleep 1000");
    const id = await daemon.docker("inspect", "--format", "{{.Id}}", "busy");
    const merged = await daemon.docker("inspect", "--format", "{{.GraphDriver.Data.MergedDir}}", "busy");
    const guests = [
      spawn("sleep", ["1000"], { cwd: merged }),
      // It keeps the mount in a namespace of its own.
      spawn("unshare", ["--mount", "--propagation", "private", "sleep", "1000"]),
    ];
    try {
      await expect
        .poll(() => readFileSync(`/proc/${guests[1]?.pid}/comm`, "utf8"), { timeout: 10_000 })
        .toBe("sleep\n");
      const both = await Promise.all([1, 2].map(() => daemon.tryDocker(["rm", "-f", "busy"])));
      expect(both.filter(({ status }) => status === 0).length).toBeGreaterThan(0);
      expect(both.filter(({ status, stderr }) => status !== 0 && !/already in progress|No such/.test(stderr))).toEqual(
        [],
      );
      expect(existsSync(merged)).toBe(false);
      expect(runLeftovers(root, { running: [], others: [id] })).toEqual([]);
      expect(await leftovers(root)).toEqual([]);
    } finally {
      for (const guest of guests) guest.kill("SIGKILL");
    }
  });
});

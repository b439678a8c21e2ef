import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Conflict, InvalidParameter, NotFound } from "../../spec/index.js";
import { cannotRun, forever, RunningEngine } from "./run.test.tools.js";

describe.skipIf(cannotRun)("the life of a container", () => {
  let ours: RunningEngine;
  beforeAll(async () => {
    ours = await RunningEngine.open();
  });
  afterAll(async () => {
    await ours[Symbol.asyncDispose]();
  });
  const stateOf = async (id: string) => (await ours.engine.containers.inspect(id)).State;

  test("what it writes is attached to, and its exit code is told", async () => {
    expect(await ours.outcome(["sh", "-c", "echo hello; exit 3"])).toEqual({ code: 3, out: "hello\n" });
  });

  test("it starts, stops by its signal, and starts again; each is told once", async () => {
    const { processes } = ours.engine;
    const told = ours.events();
    const id = await ours.ready(forever);
    expect(await processes.start(id)).toBe(false);
    expect(await stateOf(id)).toMatchObject({ Status: "running", Running: true, ExitCode: 0 });
    expect(await processes.stop(id)).toBe(true);
    expect(await processes.stop(id)).toBe(false);
    expect(await stateOf(id)).toMatchObject({ Status: "exited", Running: false, Pid: 0, ExitCode: 7 });
    await processes.restart(id);
    expect(await stateOf(id)).toMatchObject({ Status: "running", ExitCode: 0 });
    await processes.kill(id);
    expect(await stateOf(id)).toMatchObject({ Status: "exited", ExitCode: 137 });
    const once = ["kill 15", "die 7", "stop", "start", "restart", "kill 9", "die 137"];
    expect(told()).toEqual(["create", "start", ...once]);
  });

  test("one that does not listen is killed after a while", async () => {
    const id = await ours.ready(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]);
    await ours.engine.processes.stop(id, { timeoutS: 0 });
    expect(await stateOf(id)).toMatchObject({ ExitCode: 137 });
  });

  test("a start that fails says why in Docker's words, and leaves it as it was", async () => {
    const { processes, containers } = ours.engine;
    const id = await ours.created(["nosuch"]);
    const missing = /exec: "nosuch": executable file not found in \$PATH: unknown$/;
    await expect(processes.start(id)).rejects.toThrow(missing);
    await expect(processes.start(id)).rejects.toThrow(InvalidParameter);
    expect(await stateOf(id)).toMatchObject({
      Status: "created",
      ExitCode: 127,
      Error: expect.stringMatching(missing),
    });
    const denied = await ours.created(["/etc"]);
    await expect(processes.start(denied)).rejects.toThrow(/permission denied/);
    expect((await stateOf(denied)).ExitCode).toBe(126);
    const lost = await ours.created(["true"], { HostConfig: { NetworkMode: "nonet" } });
    await expect(processes.start(lost)).rejects.toThrow(new NotFound("network nonet not found"));
    await containers.remove(lost);
  });

  test("with AutoRemove nothing is left, whether it ran or could not; and who waits for that is told", async () => {
    const { processes, containers } = ours.engine;
    for (const [cmd, code] of [["true", 0] as const, ["nosuch", 127] as const]) {
      const id = await ours.created([cmd], { HostConfig: { AutoRemove: true } });
      const { ended } = await processes.wait(id, "removed");
      await processes.start(id).catch(() => {});
      expect((await ended).StatusCode).toBe(code);
      await expect(containers.inspect(id)).rejects.toThrow(NotFound);
      expect(existsSync(join(ours.root, "containers", id))).toBe(false);
    }
  });

  test("waits: not running at once, the next exit, and removal", async () => {
    const { processes, containers } = ours.engine;
    const id = await ours.created(forever);
    expect(await (await processes.wait(id)).ended).toEqual({ StatusCode: 0, Error: null });
    const next = await processes.wait(id, "next-exit");
    const removed = await processes.wait(id, "removed");
    await processes.start(id);
    const stopped = await processes.wait(id);
    await containers.remove(id, { force: true });
    for (const { ended } of [next, stopped, removed]) expect((await ended).StatusCode).toBe(137);
  });

  test("it is frozen and thawed; frozen it can be removed by force", async () => {
    const { processes, containers } = ours.engine;
    const id = await ours.started(forever);
    await processes.pause(id);
    expect(await stateOf(id)).toMatchObject({ Status: "paused", Running: true, Paused: true });
    for (const refused of [processes.pause(id), processes.start(id), ours.engine.execs.create(id, { Cmd: ["true"] })]) {
      await expect(refused).rejects.toThrow(Conflict);
    }
    await processes.unpause(id);
    await expect(processes.unpause(id)).rejects.toThrow(`Container ${id} is not paused`);
    await processes.pause(id);
    await expect(containers.remove(id)).rejects.toThrow(`You cannot remove a paused container ${id}.`);
    await containers.remove(id, { force: true });
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(id);
  });

  test("restart policies: on failure as often as allowed, always until it is stopped", async () => {
    const { processes } = ours.engine;
    const failing = await ours.started(["sh", "-c", "exit 1"], {
      HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } },
    });
    for (let dies = 0; (await stateOf(failing)).Running; dies++) {
      expect(dies).toBeLessThan(5);
      await (await processes.wait(failing, "next-exit")).ended;
    }
    expect((await ours.engine.containers.inspect(failing)).RestartCount).toBe(2);
    const always = await ours.started(["true"], { HostConfig: { RestartPolicy: { Name: "always" } } });
    await (await processes.wait(always, "next-exit")).ended;
    expect(await stateOf(always)).toMatchObject({ Status: "restarting", Running: true, Pid: 0 });
    expect(await processes.stop(always)).toBe(true);
    expect(await stateOf(always)).toMatchObject({ Status: "exited", Running: false });
  });

  test("start, stop and removal at once end sanely", async () => {
    const { processes, containers } = ours.engine;
    for (let i = 0; i < 3; i++) {
      const id = await ours.created(forever);
      const starts = [processes.start(id), processes.start(id), processes.stop(id, { timeoutS: 0 })];
      const rest = [processes.start(id), processes.kill(id), containers.remove(id, { force: true })];
      await Promise.allSettled([...starts, ...rest]);
      await containers.remove(id, { force: true }).catch(() => {});
      await expect(containers.inspect(id)).rejects.toThrow(NotFound);
      expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(id);
    }
  });

  test("one that is being started is removed by force", async () => {
    const { processes, containers } = ours.engine;
    const id = await ours.created(forever);
    const starting = processes.start(id).catch(() => {});
    while (!existsSync(`${ours.runs}/containers/${id}`)) await setImmediate();
    await containers.remove(id, { force: true });
    await starting;
    await expect(containers.inspect(id)).rejects.toThrow(NotFound);
  });

  test("an image that runs cannot be removed, and prunes leave what runs", async () => {
    const { containers, images, processes } = ours.engine;
    const id = await ours.started(forever);
    const inUse = "image is being used by running container";
    const { Image } = await containers.inspect(id);
    await expect(images.remove(Image, { force: true })).rejects.toThrow(inUse);
    const { ContainersDeleted } = await containers.prune();
    expect(ContainersDeleted).not.toContain(id);
    await processes.kill(id);
    expect((await containers.prune()).ContainersDeleted).toContain(id);
  });

  test("a hundred, twenty at a time: started, looked into and removed, and nothing is left", {
    timeout: 120_000,
  }, async () => {
    const { containers } = ours.engine;
    let left = 100;
    const one = async () => {
      while (left-- > 0) {
        const id = await ours.started(["sleep", "1000"]);
        expect(await ours.exec(id, ["cat", "/proc/sys/kernel/hostname"])).toBe(`${id.slice(0, 12)}\n`);
        await containers.remove(id, { force: true });
      }
    };
    await Promise.all(Array.from({ length: 20 }, one));
    const mounts = readFileSync("/proc/self/mounts", "utf8");
    const running = (await containers.list()).length;
    expect(mounts.split(`${ours.root}/overlay2/`).length > 1 ? running : 0).toBe(running);
    expect(ours.reports).toEqual([]);
  });
});

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { keptWarm, WarmThreads } from "./warm-threads.js";
import { atOnce, patienceMs, WorkerPool } from "./worker-pool.js";
import type { TestJob } from "./worker-pool.test.worker.js";

function threads(): WarmThreads {
  return new WarmThreads(new URL("./worker-pool.test.worker.js", import.meta.url));
}

function poolOf(size: number, shared = threads()): WorkerPool<TestJob> {
  return new WorkerPool<TestJob>(shared, size);
}

const ask = async (pool: WorkerPool<TestJob>, job: TestJob) => (await pool.start(job, () => {})).result;

describe("WorkerPool", () => {
  test("keeps a thread warm for the next task", async () => {
    const pool = poolOf(2);
    expect([await ask(pool, "answer"), await ask(pool, "answer")]).toEqual([1, 2]);
  });

  test("pools take each other's warm threads, and wait only for their own tasks", async () => {
    const shared = threads();
    const [one, other] = [poolOf(1, shared), poolOf(1, shared)];
    expect([await ask(one, "answer"), await ask(other, "answer")]).toEqual([1, 2]);
    const task = await one.start("wait", () => {});
    expect(await ask(other, "answer")).toBe(1);
    task.send({ stop: true });
    await task.result;
  });

  test("keeps some threads warm for ten minutes, the others for one", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const shared = threads();
      const pool = poolOf(keptWarm + 1, shared);
      const all = () => Promise.all(Array.from({ length: keptWarm + 1 }, () => ask(pool, "answer")));
      const [one, two] = [Array(keptWarm).fill(1), Array(keptWarm).fill(2)];
      expect(await all()).toEqual([...one, 1]);
      vi.advanceTimersByTime(9 * 60_000);
      expect((await all()).sort()).toEqual([1, ...two]);
      vi.advanceTimersByTime(11 * 60_000);
      expect(await all()).toEqual([...one, 1]);
      await shared.close();
    } finally {
      vi.useRealTimers();
    }
  });

  test("small tasks take turns in a thread for each processor, who waits long gets one of its own", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const shared = threads();
      const pool = poolOf(2 * atOnce, shared);
      const answers = await Promise.all(Array.from({ length: 2 * atOnce }, () => ask(pool, "answer")));
      expect(answers.filter((nth) => nth === 1)).toHaveLength(atOnce);
      const tasks = await Promise.all(Array.from({ length: atOnce }, () => pool.start("wait", () => {})));
      const answer = ask(pool, "answer");
      vi.advanceTimersByTime(patienceMs);
      expect(await answer).toBe(1);
      for (const { send } of tasks) send({ stop: true });
      await Promise.all(tasks.map(({ result }) => result));
      await shared.close();
    } finally {
      vi.useRealTimers();
    }
  });

  test("keeps no process alive by idle threads", async () => {
    const script = `import { WorkerPool } from ${JSON.stringify(new URL("./worker-pool.js", import.meta.url).href)};
      import { WarmThreads } from ${JSON.stringify(new URL("./warm-threads.js", import.meta.url).href)};
      const url = new URL(${JSON.stringify(new URL("./worker-pool.test.worker.js", import.meta.url).href)});
      const pool = new WorkerPool(new WarmThreads(url), 2);
      console.log(await (await pool.start("answer", () => {})).result);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      timeout: 8_000,
    });
    expect(stdout).toBe("1\n");
  });

  test("passes messages both ways, and what the thread failed with", async () => {
    const pool = poolOf(1);
    const replies: unknown[] = [];
    const task = await pool.start<string, string, string>("echo", (reply) => replies.push(reply));
    for (const message of ["a", "b", "end"]) task.send(message);
    expect(await task.result).toBe("ended");
    expect(replies).toEqual(["a", "b"]);
    await expect(ask(pool, "fail")).rejects.toMatchObject({ code: "conflict", message: "no" });
  });

  test("more tasks than threads wait for their turn", async () => {
    const pool = poolOf(2);
    const waiting = await Promise.all([pool.start("wait", () => {}), pool.start("wait", () => {})]);
    let third: unknown;
    const later = ask(pool, "answer").then((answer) => {
      third = answer;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(third).toBeUndefined();
    for (const task of waiting) task.send({ stop: true });
    await later;
    expect(third).toBe(1);
  });

  test.for(["exit", "throw"] as const)(
    "a thread that dies (%s) fails its task, and the next gets a new thread",
    async (how) => {
      const pool = poolOf(1);
      await ask(pool, "answer");
      const dying = ask(pool, how);
      const next = ask(pool, "answer");
      await expect(dying).rejects.toThrow(
        /^the worker thread ended before its work: (exit status 7|thrown in the thread)$/,
      );
      expect(await next).toBe(1);
    },
  );

  test("closed, it starts nothing and ends its threads when they are done", async () => {
    const shared = threads();
    const pool = poolOf(1, shared);
    const task = await pool.start("wait", () => {});
    pool.close();
    await shared.close();
    await expect(ask(pool, "answer")).rejects.toThrow("closed");
    task.send({ stop: true });
    expect(await task.result).toBe("stopped");
  });
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { scratch } from "../../../test/oracle/scratch.js";
import { until } from "../../../test/oracle/until.js";
import { nowNs, rfc3339 } from "../../spec/index.js";
import { bytesOf } from "../engine.test.tools.js";
import { cannotRun, payload, RunningEngine } from "./run.test.tools.js";

const victim = new URL("./survival.test.victim.js", import.meta.url).pathname;

/** An engine in a process of its own, with the data root and run directory of `ours`; says when it is open. */
async function elsewhere(ours: RunningEngine, ...args: string[]): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [victim, ours.root, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(createInterface(child.stdout!), "line");
  return { child, said };
}

async function killed({ child }: { child: ChildProcess }): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

test.skipIf(cannotRun)("what runs goes on when its engine is killed; no line and no exit is lost", async () => {
  await using ours = await RunningEngine.open();
  await ours.engine[Symbol.asyncDispose]();
  const counting = "i=0; while test $i -lt 3000; do i=$((i+1)); echo $i; done; exit 9";
  const other = await elsewhere(ours, "sh", "-c", counting);
  const [ended = "", lasting = "", removed = ""] = other.said.split(" ");
  await killed(other);
  const { containers, processes } = await ours.reopen();
  const { ended: end } = await processes.wait(ended);
  expect((await end).StatusCode).toBe(9);
  const lines = payload(await bytesOf((await processes.logs(ended, { stdout: true })).body))
    .trim()
    .split("\n");
  expect(lines).toEqual(Array.from({ length: 3000 }, (_, i) => String(i + 1)));
  const { State } = await containers.inspect(lasting);
  expect(State).toMatchObject({ Status: "running", Running: true, ExitCode: 0 });
  expect(readFileSync(`/proc/${State.Pid}/cgroup`, "utf8")).toContain(lasting);
  await until(() => !existsSync(`${ours.root}/containers/${removed}`));
  expect(await containers.changes(lasting)).toContainEqual({ Path: "/written", Kind: 1 });
  await processes.kill(lasting);
  expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(ours.root);
  expect(ours.reports).toEqual([]);
});

test.skipIf(cannotRun)("a daemon starts what its policy says, and removes what was to go", async () => {
  await using ours = await RunningEngine.open();
  const policy = (Name: string) => ({ HostConfig: { RestartPolicy: { Name } } });
  const sleep = ["sleep", "1000"];
  const always = await ours.started(sleep, policy("always"));
  const stopped = await ours.started(sleep, policy("unless-stopped"));
  const never = await ours.started(sleep);
  const created = await ours.created(sleep, policy("always"));
  for (const id of [always, stopped, never]) await ours.engine.processes.stop(id, { timeoutS: 0 });
  const lasting = await ours.started(sleep, policy("unless-stopped"));
  const going = await ours.started(sleep, { HostConfig: { AutoRemove: true } });
  const pids = await Promise.all(
    [lasting, going].map(async (id) => (await ours.engine.containers.inspect(id)).State.Pid),
  );
  await ours.engine[Symbol.asyncDispose]();
  // As if the machine had been switched off.
  for (const pid of pids) process.kill(pid, "SIGKILL");
  const { containers } = await ours.reopen({ autostart: true });
  const states = async () => {
    const all = await containers.list({ all: true });
    return Object.fromEntries(all.map(({ Id, State }) => [Id, State]));
  };
  const wanted = {
    [always]: "running",
    [lasting]: "running",
    [stopped]: "exited",
    [never]: "exited",
    [created]: "created",
  };
  await expect.poll(states, { timeout: 20_000 }).toEqual(wanted);
});

test.skipIf(cannotRun)("a container is run by the runtime that it names, to its end", async () => {
  await using place = await scratch();
  const [program, notes] = [`${place.path}/other`, `${place.path}/notes`];
  writeFileSync(program, `#!/bin/sh\necho "$@" >> ${notes}\nshift\nexec runc "$@"\n`, { mode: 0o755 });
  await using ours = await RunningEngine.open({ runtimes: { other: { path: program, runtimeArgs: ["--first"] } } });
  const id = await ours.started(["sleep", "1000"], { HostConfig: { Runtime: "other" } });
  expect(await ours.exec(id, ["sh", "-c", "echo in"])).toBe("in\n");
  await ours.engine.processes.pause(id);
  await ours.engine.containers.remove(id, { force: true });
  const words = readFileSync(notes, "utf8").match(/\b(run|exec|pause|resume)\b(?= )/g);
  expect(words).toEqual(["run", "exec", "pause", "resume"]);
  expect(readFileSync(notes, "utf8")).toMatch(/^(--first .*\n)+$/);
  expect(await ours.outcome(["sh", "-c", "echo by runc"])).toEqual({ code: 0, out: "by runc\n" });
});

test.skipIf(cannotRun)("an engine that is closed leaves what runs, and the next takes it up", async () => {
  await using ours = await RunningEngine.open();
  const id = await ours.started(["sleep", "1000"], { HostConfig: { IpcMode: "shareable" } });
  const before = (await ours.engine.containers.inspect(id)).State;
  await ours.engine[Symbol.asyncDispose]();
  expect(readFileSync(`/proc/${before.Pid}/cgroup`, "utf8")).toContain(id);
  const { containers, processes, execs } = await ours.reopen();
  expect((await containers.inspect(id)).State).toEqual(before);
  const { Id } = await execs.create(id, { Cmd: ["sh", "-c", "echo hi > /dev/shm/f"] });
  await execs.start(Id, { detach: true });
  const { ended } = await processes.wait(id);
  expect(await processes.stop(id, { timeoutS: 0 })).toBe(true);
  expect((await ended).StatusCode).toBe(137);
  await containers.remove(id);
  expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(ours.root);
  expect(ours.reports).toEqual([]);
});

test.skipIf(cannotRun)("what a crash kept from the disk is known all the same", async () => {
  await using ours = await RunningEngine.open();
  const file = (id: string) => `${ours.root}/containers/${id}/config.v2.json`;
  const gone = async (pid: number) => {
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
  };
  const command = ["sh", "-c", "echo hi; while ! test -e /go/on; do sleep 0.02; done; exit 3"];
  const go = `${dirname(ours.root)}/go`;
  const body = { HostConfig: { Binds: [`${go}:/go`] } };
  const made = await Promise.all(
    ["goes", "ends", "known"].map(async (name) => {
      const id = await ours.created(command, name === "goes" ? {} : body, name);
      const text = readFileSync(file(id), "utf8");
      await ours.engine.processes.start(id);
      return { id, text, state: (await ours.engine.containers.inspect(id)).State };
    }),
  );
  const [goes, ends, known] = made as [(typeof made)[0], (typeof made)[0], (typeof made)[0]];
  await ours.engine[Symbol.asyncDispose]();
  writeFileSync(`${go}/on`, "");
  await gone(ends.state.Pid);
  await gone(known.state.Pid);
  const { runs } = ours;
  await expect.poll(() => exitOf(runs, known.id), { timeout: 10_000 }).toBeDefined();
  await expect.poll(() => exitOf(runs, ends.id), { timeout: 10_000 }).toBeDefined();
  // Of two the start was not written, of the third the exit was, and not acknowledged.
  for (const { id, text } of [goes, ends]) writeFileSync(file(id), text);
  const stored = JSON.parse(readFileSync(file(known.id), "utf8"));
  const FinishedAt = rfc3339(BigInt(exitOf(runs, known.id)!));
  const State = { ...stored.State, Running: false, Pid: 0, ExitCode: 3, FinishedAt };
  writeFileSync(file(known.id), JSON.stringify({ ...stored, State }));

  const { containers, processes, events } = await ours.reopen();
  const logged = async (id: string) => payload(await bytesOf((await processes.logs(id, { stdout: true })).body));
  const { StartedAt, Pid } = goes.state;
  expect((await containers.inspect(goes.id)).State).toMatchObject({ Status: "running", StartedAt, Pid });
  expect(await logged(goes.id)).toBe("hi\n");
  expect((await containers.inspect(ends.id)).State).toMatchObject({
    ...{ Status: "exited", ExitCode: 3, StartedAt: ends.state.StartedAt },
  });
  expect(await logged(ends.id)).toBe("hi\n");
  expect((await containers.inspect(known.id)).State).toMatchObject({ ExitCode: 3, FinishedAt });
  const died: string[] = [];
  for await (const { Action, Actor } of events.read({ sinceNs: 0n, untilNs: nowNs() }))
    died.push(`${Action} ${Actor.ID}`);
  expect(died.filter((line) => line.startsWith("die"))).toEqual([`die ${ends.id}`]);
  expect(readdirSync(`${runs}/processes`)).toEqual([`${goes.id}.json`]);
});

test.skipIf(cannotRun)(
  "what was frozen for an operation that a crash has ended goes on; what somebody froze stays",
  async () => {
    await using ours = await RunningEngine.open();
    const ids = [await ours.started(["sleep", "1000"]), await ours.started(["sleep", "1000"])];
    for (const id of ids) await ours.engine.processes.pause(id);
    await ours.engine[Symbol.asyncDispose]();
    writeFileSync(`${ours.runs}/containers/${ids[0]}/brief-pause`, "");
    const { containers } = await ours.reopen();
    const states = await Promise.all(ids.map(async (id) => (await containers.inspect(id)).State.Status));
    expect(states).toEqual(["running", "paused"]);
    expect(await ours.exec(ids[0] ?? "", ["cat", "/proc/1/comm"])).toBe("sleep\n");
    expect(readdirSync(`${ours.runs}/containers/${ids[0]}`)).toEqual(["config.json"]);
  },
);

/** When a container ended whose exit the supervisor keeps. */
function exitOf(runs: string, id: string): string | undefined {
  return JSON.parse(readFileSync(`${runs}/processes/${id}.json`, "utf8")).exit?.atNs;
}

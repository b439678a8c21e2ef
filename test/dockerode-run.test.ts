import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Both } from "./oracle/both.js";
import { lacking } from "./oracle/programs.js";
import { rawTar } from "./oracle/raw-tar.js";
import { output } from "./oracle/run.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.ext4");

const base = { Image: "sample:1", HostConfig: { NetworkMode: "none" } };

/** Both streams of a process without a terminal. */
async function split(docker: Docker, stream: NodeJS.ReadableStream): Promise<[stdout: string, stderr: string]> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, out, err);
  stream.once("end", () => {
    out.end();
    err.end();
  });
  return await Promise.all([text(out), text(err)]);
}

/** Resolves to what is said up to the end of a text. */
async function until(stream: NodeJS.ReadableStream, wanted: string): Promise<string> {
  for (let said = ""; ; ) {
    const [chunk] = (await once(stream, "data")) as [Buffer];
    said += chunk.toString("latin1");
    if (said.includes(wanted)) return said;
  }
}

/** What a refusal says, without ids. */
async function refused(asked: Promise<unknown>): Promise<[status: number, message: string]> {
  const failure: { statusCode: number; json?: { message?: string } | null; message: string } = await asked.then(
    () => expect.unreachable("it is not refused"),
    (error) => error,
  );
  const message = failure.json?.message ?? failure.message;
  return [failure.statusCode, message.replace("failed to create shim task: ", "").replace(/[0-9a-f]{64}/g, "ID")];
}

describe.skipIf(skip)("dockerode, unchanged, on our daemon and on dockerd", () => {
  let both: Both;
  beforeAll(async () => {
    both = await Both.start();
  });
  afterAll(() => both[Symbol.asyncDispose]());

  const play = (play: (docker: Docker) => Promise<unknown>) =>
    both.play(({ socket }) => play(new Docker({ socketPath: socket })));

  test.for([{ hijack: true }, { hijack: false }])("attaches with %j", async ({ hijack }) => {
    await play(async (docker) => {
      const Cmd = ["sh", "-c", "cat; echo err >&2; exit 3"];
      const container = await docker.createContainer({ ...base, Cmd, OpenStdin: true, StdinOnce: true });
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack });
      const said = split(docker, stream);
      await container.start();
      stream.write("typed\n");
      // Without hijacking, dockerode's end hangs up.
      if (hijack) stream.end();
      else {
        await until(stream, "typed\n");
        await container.kill();
      }
      const ended = [await container.wait(), await said];
      const removed = container.wait({ condition: "removed" });
      await container.remove();
      return [ended, await removed];
    });
  });

  test("attaches to a terminal, resizes it, and reads its log", async () => {
    await play(async (docker) => {
      const container = await docker.createContainer({ ...base, Cmd: ["sh"], Tty: true, OpenStdin: true });
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
      const prompt = until(stream, "# ");
      await container.start();
      const seen: unknown[] = [await prompt, String(await container.resize({ h: 33, w: 99 }))];
      stream.write("echo here; exit 4\n");
      await once(stream, "end");
      seen.push(await container.wait(), String(await container.logs({ stdout: true, stderr: true })));
      await container.remove();
      return seen;
    });
  });

  test("runs, with the outputs apart", async () => {
    await play(async (docker) => {
      const [out, err] = [new PassThrough(), new PassThrough()];
      const said = Promise.all([text(out), text(err)]);
      const options = { Tty: false, HostConfig: { NetworkMode: "none", AutoRemove: true } };
      const [outcome] = await docker.run(
        "sample:1",
        ["sh", "-c", "echo out; echo err >&2; exit 6"],
        [out, err],
        options,
      );
      return [outcome, await said];
    });
  });

  test("runs further programs, with and without a terminal, and detached", async () => {
    await play(async (docker) => {
      const container = await docker.createContainer({ ...base, Cmd: ["sleep", "1000"] });
      await container.start();
      const shown = { AttachStdout: true, AttachStderr: true };
      const seen: unknown[] = [];
      const told = async (exec: Docker.Exec) => {
        const { ID, ContainerID, Pid, ...rest } = await exec.inspect();
        return { ...rest, known: [ID === exec.id, ContainerID === container.id] };
      };
      for (const hijack of [true, false]) {
        const exec = await container.exec({ ...shown, Cmd: ["sh", "-c", "echo out; echo err >&2; exit 3"] });
        seen.push(await told(exec));
        seen.push(await split(docker, await exec.start({ hijack, stdin: false })), await told(exec));
      }
      const typed = await container.exec({ ...shown, Cmd: ["cat"], AttachStdin: true });
      const stream = await typed.start({ hijack: true, stdin: true });
      const echoed = split(docker, stream);
      stream.end("typed\n");
      seen.push(await echoed, await told(typed));
      const tty = await container.exec({ ...shown, Cmd: ["sh", "-c", "echo at a terminal"], Tty: true });
      seen.push(await text((await tty.start({ Tty: true })) as unknown as Readable), await told(tty));
      const away = await container.exec({ Cmd: ["true"] });
      await buffer(await away.start({ Detach: true }));
      const nowhere = await container.exec({ ...shown, Cmd: ["nowhere"] });
      seen.push(await split(docker, await nowhere.start({})), await told(nowhere));
      seen.push(await refused(nowhere.start({ Detach: true })), await refused(container.exec({ Cmd: [] })));
      seen.push(await refused(docker.getExec("nothing").inspect()), await refused(docker.getExec("nothing").start({})));
      await container.remove({ force: true });
      return seen;
    });
  });

  test("sees states, and has refusals with their status", async () => {
    await play(async (docker) => {
      const seen: unknown[] = [];
      const container = await docker.createContainer({
        ...base,
        Cmd: ["sh", "-c", "trap 'exit 5' TERM; echo up; cat"],
      });
      const look = async () => {
        const { Status, Running, Paused, ExitCode, Error: said } = (await container.inspect()).State;
        seen.push([Status, Running, Paused, ExitCode, said]);
      };
      for (const action of ["kill", "pause", "unpause", "stop", "top"] as const)
        seen.push(await refused((container[action] as () => Promise<unknown>).call(container)));
      seen.push(await refused(container.resize({ h: 1, w: 1 })));
      await look();
      const patient = await docker.createContainer({ ...base, Cmd: ["sh", "-c", "while :; do sleep 0.1; done"] });
      await patient.start();
      seen.push(await refused(patient.start()), await refused(patient.remove()));
      await patient.pause();
      seen.push(await refused(patient.pause()), await refused(patient.exec({ Cmd: ["true"] })));
      seen.push((await docker.listContainers({ filters: { status: ["paused"] } })).map(({ State }) => State));
      await patient.unpause();
      seen.push(await refused(patient.unpause()), await refused(patient.kill({ signal: "FOO" })));
      seen.push(await patient.update({ Memory: 64 << 20, MemorySwap: -1 }).then(({ Warnings }) => typeof Warnings));
      const { Titles } = await patient.top({ ps_args: "-o pid,args" });
      seen.push(Titles);
      await patient.stop({ t: 0 });
      seen.push(await refused(patient.stop()), await patient.wait());
      await container.start();
      seen.push(await container.wait());
      await look();
      for (const name of ["start", "stop", "kill", "wait", "top", "pause", "restart"] as const)
        seen.push(await refused((docker.getContainer("nothing")[name] as () => Promise<unknown>)()));
      const bad = await docker.createContainer({ ...base, Cmd: ["nowhere"] });
      seen.push(await refused(bad.start()));
      for (const each of [container, patient, bad]) await each.remove();
      return seen;
    });
  });

  test("follows logs, statistics and events", async () => {
    await play(async (docker) => {
      const seen: unknown[] = [];
      const events = await docker.getEvents({ filters: { container: ["follow"], event: ["start", "die"] } });
      const happened = until(events as unknown as Readable, "die");
      const container = await docker.createContainer({
        ...base,
        name: "follow",
        Cmd: ["sh", "-c", "echo one; read line; echo $line >&2"],
        OpenStdin: true,
      });
      const stdin = await container.attach({ stream: true, stdin: true, hijack: true });
      await container.start();
      const logs = (await container.logs({ follow: true, stdout: true, stderr: true })) as unknown as Readable;
      await once(logs, "readable");
      const stats = (await container.stats()) as unknown as Readable;
      const samples: Docker.ContainerStats[] = [];
      for await (const line of stats) {
        samples.push(JSON.parse(String(line)));
        if (samples.length === 2) break;
      }
      seen.push(samples.map(({ name, num_procs }) => [name, num_procs]));
      seen.push(samples.map(({ cpu_stats }) => cpu_stats.cpu_usage.total_usage > 0));
      const sample = await container.stats({ stream: false });
      seen.push([sample.precpu_stats.system_cpu_usage > 0, sample.pids_stats?.current]);
      const said = split(docker, logs);
      stdin.write("two\n");
      seen.push(await said, await container.wait());
      const idle = await container.stats({ stream: false });
      seen.push([idle.memory_stats, idle.cpu_stats.cpu_usage.total_usage]);
      const actions = (await happened)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { Action: string });
      seen.push(actions.map(({ Action }) => Action));
      (events as unknown as Readable).destroy();
      await container.remove();
      return seen;
    });
  });

  test("copies into and out of a running container, and commits it", async () => {
    await play(async (docker) => {
      const container = await docker.createContainer({ ...base, Cmd: ["sleep", "1000"] });
      await container.start();
      const tar = new PassThrough().end(rawTar([{ name: "new", content: "put\n" }]));
      await container.putArchive(tar, { path: "/var" });
      const exec = await container.exec({
        Cmd: ["sh", "-c", "cat /var/new; echo more >> /var/new"],
        AttachStdout: true,
      });
      const [read] = await split(docker, await exec.start({}));
      const back = await buffer(await container.getArchive({ path: "/var/new" }));
      const changes = (await container.changes()) as { Path: string }[];
      await container.commit({ repo: "committed", tag: "1" });
      await container.remove({ force: true });
      const made = await docker.createContainer({ ...base, Image: "committed:1", Cmd: ["cat", "/var/new"] });
      const stream = await made.attach({ stream: true, stdout: true });
      const said = split(docker, stream);
      await made.start();
      const seen = [
        read,
        await output("tar", ["-xOf", "-"], { input: back }),
        changes.map(({ Path }) => Path),
        await said,
      ];
      await made.remove();
      return seen;
    });
  });
});

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rawTar } from "../../../test/oracle/raw-tar.js";
import { output } from "../../../test/oracle/run.js";
import { streamOf } from "../../../test/oracle/sample-image.js";
import { canReadOnlyDeeply } from "../../runtime/index.js";
import { Conflict, type HostConfig, type MountRequest, NotFound } from "../../spec/index.js";
import { bytesOf } from "../engine.test.tools.js";
import { cannotRun, forever, RunningEngine, textOf } from "./run.test.tools.js";

const deep = !cannotRun && (await canReadOnlyDeeply({ runtime: "runc" }));

describe.skipIf(cannotRun)("what is seen in a container", () => {
  let ours: RunningEngine;
  beforeAll(async () => {
    ours = await RunningEngine.open();
  });
  afterAll(async () => {
    await ours[Symbol.asyncDispose]();
  });

  test("its files lie where dockerd puts them, and say what is so", async () => {
    const { containers } = ours.engine;
    const id = await ours.started(forever, {
      HostConfig: { ExtraHosts: ["there:10.1.2.3"], Dns: ["10.9.9.9"], DnsSearch: ["a.example"], IpcMode: "shareable" },
      Hostname: "here",
    });
    const at = (name: string) => join(ours.root, "containers", id, name);
    expect(readFileSync(at("hostname"), "utf8")).toBe("here\n");
    expect(readFileSync(at("hosts"), "utf8")).toMatch(/^127\.0\.0\.1\tlocalhost\n[\s\S]*\n10\.1\.2\.3\tthere\n$/);
    expect(readFileSync(at("resolv.conf"), "utf8")).toBe("search a.example\nnameserver 10.9.9.9\n");
    expect(readFileSync(at("resolv.conf.hash"), "utf8")).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(readFileSync("/proc/self/mounts", "utf8")).toContain(` ${at("mounts/shm")} tmpfs `);
    expect(await containers.inspect(id)).toMatchObject({
      ...{ HostnamePath: at("hostname"), HostsPath: at("hosts"), ResolvConfPath: at("resolv.conf") },
      LogPath: at(`${id}-json.log`),
    });
    await containers.remove(id, { force: true });
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(id);
  });

  test("volumes, binds that are made, tmpfs, and volumes of another container are seen inside", async () => {
    const source = join(ours.root, "..", "bound");
    const first = await ours.created(["sh", "-c", "echo v > /v/f; echo b > /b/f; echo t > /t/f; cat /v/f /b/f /t/f"], {
      HostConfig: { Binds: ["named:/v", `${source}:/b`], Tmpfs: { "/t": "size=1m" } },
    });
    const { stream } = await ours.engine.processes.attach(first, { stdout: true, stream: true });
    const out = textOf(stream);
    await ours.engine.processes.start(first);
    expect(await out).toBe("v\nb\nt\n");
    expect(readFileSync(join(source, "f"), "utf8")).toBe("b\n");
    const second = await ours.outcome(["sh", "-c", "cat /v/f; (echo no > /v/g) 2>/dev/null || echo read-only"], {
      HostConfig: { VolumesFrom: [`${first}:ro`] },
    });
    expect(second.out).toBe("v\nread-only\n");
  });

  test.skipIf(!deep)("read-only binds are so with what is mounted below, unless they are asked not to be", async () => {
    const source = join(ours.root, "..", "deep");
    mkdirSync(join(source, "below"), { recursive: true });
    await output("mount", ["-t", "tmpfs", "none", join(source, "below")]);
    try {
      const writes = async (host: HostConfig, flatReadOnly = false) => {
        const Cmd = ["sh", "-c", "for d in /m /m/below; do (> $d/f) 2>/dev/null && echo writable || echo not; done"];
        const body = { Image: "sample:1", Cmd, HostConfig: { NetworkMode: "none", ...host } };
        const { Id } = await ours.engine.containers.create(body, { flatReadOnly });
        const { stream } = await ours.engine.processes.attach(Id, { stdout: true, stream: true });
        const said = textOf(stream);
        await ours.engine.processes.start(Id);
        return (await said).trim().split("\n");
      };
      const mount = (BindOptions?: MountRequest["BindOptions"]) => ({
        Mounts: [{ Type: "bind", Source: source, Target: "/m", ReadOnly: true, ...(BindOptions && { BindOptions }) }],
      });
      expect(await writes({ Binds: [`${source}:/m:ro`] })).toEqual(["not", "not"]);
      expect(await writes(mount())).toEqual(["not", "not"]);
      expect(await writes(mount({ ReadOnlyForceRecursive: true }))).toEqual(["not", "not"]);
      expect(await writes(mount({ ReadOnlyNonRecursive: true }))).toEqual(["not", "writable"]);
      expect(await writes(mount(), true)).toEqual(["not", "writable"]);
    } finally {
      await output("umount", [join(source, "below")]);
    }
  });

  test("namespaces of another container are joined, while that runs", async () => {
    const { processes } = ours.engine;
    const id = await ours.started(forever, { HostConfig: { IpcMode: "shareable" } });
    const modes = { NetworkMode: `container:${id}`, PidMode: `container:${id}`, IpcMode: `container:${id}` };
    const { out } = await ours.outcome(
      ["sh", "-c", "ls -l /proc/1/ns/net /proc/self/ns/net; cat /proc/sys/kernel/hostname"],
      {
        HostConfig: modes,
      },
    );
    const [one, other] = out.match(/net:\[\d+\]/g) ?? [];
    expect(one).toBeDefined();
    expect(other).toBe(one);
    expect(out.trim().endsWith(`\n${id.slice(0, 12)}`)).toBe(true);
    await processes.kill(id);
    const late = await ours.created(["true"], { HostConfig: modes });
    await expect(processes.start(late)).rejects.toThrow(`cannot join network of a non running container: ${id}`);
  });

  test("what it writes while it runs is seen by diff, cp, export and commit, for which it is frozen", async () => {
    const { containers } = ours.engine;
    const id = await ours.started(["sh", "-c", "echo written > /f; > /ready; while :; do sleep 0.05; done"], {
      HostConfig: { Binds: ["seen:/seen"] },
    });
    await ours.exec(id, ["sh", "-c", "while ! test -e /ready; do sleep 0.02; done; echo in > /seen/f"]);
    expect(await containers.changes(id)).toContainEqual({ Path: "/f", Kind: 1 });
    expect((await bytesOf((await containers.archive(id, "/f")).body)).toString()).toContain("written\n");
    expect((await bytesOf((await containers.archive(id, "/seen/f")).body)).toString()).toContain("in\n");
    expect((await bytesOf(await containers.export(id))).includes("written\n")).toBe(true);
    const told = ours.events();
    const { Id } = await containers.commit(id, { repo: "committed", tag: "1" });
    expect(told()).toEqual(["pause", "commit", "unpause"]);
    expect(await ours.outcome(["sh", "-c", "while read line; do echo $line; done < /f"], { Image: Id })).toEqual({
      code: 0,
      out: "written\n",
    });
    await containers.extract(id, "/", streamOf(rawTar([{ name: "into", content: "cp\n" }])));
    expect(await ours.exec(id, ["cat", "/into"])).toBe("cp\n");
    await containers.remove(id, { force: true });
    await ours.engine.images.remove("committed:1", { force: true });
  });

  test("a further process: its output, its exit code before the end, and what cannot be started", async () => {
    const { execs } = ours.engine;
    const id = await ours.started(forever);
    const run = async (Cmd: string[]) => {
      const { Id } = await execs.create(id, { Cmd, AttachStdout: true, AttachStderr: true });
      const started = await execs.start(Id, {});
      const out = await textOf(started!.stream);
      return { out, code: (await execs.inspect(Id)).ExitCode };
    };
    expect(await run(["sh", "-c", "cat /proc/sys/kernel/hostname; exit 5"])).toEqual({
      out: `${id.slice(0, 12)}\n`,
      code: 5,
    });
    const failed = await run(["nosuch"]);
    expect(failed).toEqual({
      code: 126,
      out: expect.stringMatching(/^OCI runtime exec failed: .*nosuch.*unknown\r\n$/),
    });
    const { Id } = await execs.create(id, { Cmd: ["cat"], AttachStdin: true, AttachStdout: true });
    const { stream } = (await execs.start(Id, {}))!;
    expect((await ours.engine.containers.inspect(id)).ExecIDs).toEqual([Id]);
    stream.end("typed");
    expect(await textOf(stream)).toBe("typed");
    const again = (await execs.start(Id, {}))!;
    expect(await textOf(again.stream)).toBe(`Error: Exec command ${Id} has already run\r\n`);
    await expect(execs.start(Id, { detach: true })).rejects.toThrow(Conflict);
    await expect(execs.inspect("zz")).rejects.toThrow(new NotFound("No such exec instance: zz"));
  });
});

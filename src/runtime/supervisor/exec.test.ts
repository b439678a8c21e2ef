import { describe, expect, test } from "vitest";
import { NotFound } from "../../spec/index.js";
import { cannotRun, cgroupsOf, execProcess, exitOf, Ground, outputs, untilOutput } from "./bundle.test.helper.js";

const all = { stdin: true, stdout: true, stderr: true };

describe.skipIf(cannotRun)("an added process", () => {
  test("has its own streams and exit", async () => {
    await using ground = new Ground();
    const { supervisor, id } = await ground.sleeping();
    const exec = { id, execID: "e1" };
    const stream = await supervisor.attach(exec, all);
    const process = execProcess(["/bin/sh", "-c", "cat; echo err >&2; exit 9"]);
    await supervisor.exec({ ...exec, process, tty: false, openStdin: true });
    stream.end("in");
    const { stdout, stderr } = await outputs(stream);
    expect([stdout.toString(), stderr.toString()]).toEqual(["in", "err\n"]);
    expect(await exitOf(supervisor, id, "e1")).toMatchObject({ exitCode: 9 });
    expect(ground.logged(id)).toBe("");
  });

  test("with a terminal", async () => {
    await using ground = new Ground();
    const { supervisor, id } = await ground.sleeping();
    const exec = { id, execID: "e1" };
    const stream = await supervisor.attach(exec, all);
    const process = execProcess(["/bin/sh", "-c", "test -t 0 && tty"], true);
    await supervisor.exec({ ...exec, process, tty: true, openStdin: true });
    expect(await untilOutput(stream, "\n")).toMatch(/^\/dev\/pts\/\d+\r\n$/);
    expect((await exitOf(supervisor, id, "e1")).exitCode).toBe(0);
  });

  test("that is not there says so; without a container there is none", async () => {
    await using ground = new Ground();
    const { supervisor, id } = await ground.sleeping();
    const exec = { id, execID: "e1", process: execProcess(["nope"]), tty: false, openStdin: false };
    await expect(supervisor.exec(exec)).rejects.toThrow(
      /^OCI runtime exec failed: exec failed: .*exec: "nope": executable file not found in \$PATH: unknown$/,
    );
    await expect(supervisor.exec({ ...exec, id: "gone" })).rejects.toThrow(NotFound);
  });

  test("ends for its clients though a child of it holds the output", async () => {
    await using ground = new Ground();
    const { supervisor, id } = await ground.sleeping();
    const exec = { id, execID: "e1" };
    const stream = await supervisor.attach(exec, all);
    const process = execProcess(["/bin/sh", "-c", "sleep 1000 & echo started"]);
    await supervisor.exec({ ...exec, process, tty: false, openStdin: false });
    expect((await outputs(stream)).stdout.toString()).toBe("started\n");
    expect((await exitOf(supervisor, id, "e1")).exitCode).toBe(0);
  });

  test("ends with its container", async () => {
    await using ground = new Ground();
    const { supervisor, id } = await ground.sleeping();
    const exec = { id, execID: "e1" };
    await supervisor.exec({ ...exec, process: execProcess(["/bin/sleep", "1000"]), tty: false, openStdin: false });
    await supervisor.kill({ id }, 9);
    expect((await exitOf(supervisor, id, "e1")).exitCode).toBe(137);
    expect((await exitOf(supervisor, id)).exitCode).toBe(137);
    expect(cgroupsOf(id)).toEqual([]);
  });
});

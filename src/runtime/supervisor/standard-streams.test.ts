import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { cannotRun, exitOf, Ground, outputs, untilOutput } from "./bundle.test.helper.js";

const all = { stdin: true, stdout: true, stderr: true };

describe.skipIf(cannotRun)("stdin of a container", () => {
  test("bytes come through unharmed, those sent before the start too", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/cat"], { openStdin: true, stdinOnce: true, log: undefined });
    const stream = await supervisor.attach(request, all);
    const sent = Array.from({ length: 300 }, (_, index) => randomBytes((index * 7919) % 50_000));
    const [early, late] = [sent.slice(0, 20), sent.slice(20)];
    for (const chunk of early) stream.write(chunk);
    const received = outputs(stream);
    await supervisor.start(request);
    for (const chunk of late) if (!stream.write(chunk)) await once(stream, "drain");
    stream.end();
    expect((await received).stdout.equals(Buffer.concat(sent))).toBe(true);
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(0);
  });

  test("goes on when a client goes, and ends when one ends it", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/cat"], { openStdin: true, stdinOnce: true });
    await supervisor.start(request);
    const [first, second] = [await supervisor.attach(request, all), await supervisor.attach(request, all)];
    first.write("one\n");
    await untilOutput(first, "one\n");
    first.destroy();
    await untilOutput(second, "one\n");
    second.end("two\n");
    expect((await outputs(second)).stdout.toString()).toBe("two\n");
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(0);
    expect(ground.logged(request.id)).toBe("one\ntwo\n");
  });

  test("that is not opened is empty", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request("wc -c");
    const stream = await supervisor.attach(request, all);
    stream.write("nobody reads this");
    await supervisor.start(request);
    expect((await outputs(stream)).stdout.toString()).toBe("0\n");
  });

  test("a process that reads nothing makes the client wait, one that closes it does not", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request("read line; exec 0<&-; echo $line; sleep 1000", {
      openStdin: true,
      stdinOnce: true,
    });
    await supervisor.start(request);
    const stream = await supervisor.attach(request, all);
    let written = 0;
    const chunk = Buffer.alloc(1 << 20, "x");
    for (let full = false; !full && written < 100; written++) full = !stream.write(chunk);
    expect(written).toBeLessThan(100);
    stream.write("\n");
    for (let more = 0; more < 30; more++) if (!stream.write(chunk)) await once(stream, "drain");
    await supervisor.kill(request, 9);
    await outputs(stream);
  });
});

describe.skipIf(cannotRun)("a terminal", () => {
  test("is one raw stream, and has the size it is told", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(
      "stty size; echo err >&2; trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.01; done",
      {
        tty: true,
        openStdin: true,
      },
    );
    const stream = await supervisor.attach(request, all);
    await supervisor.start(request);
    expect(await untilOutput(stream, "ready\r\n")).toBe("0 0\r\nerr\r\nready\r\n");
    await supervisor.resize(request, { height: 40, width: 120 });
    expect(await untilOutput(stream, "\n")).toBe("40 120\r\n");
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(5);
    expect(ground.logged(request.id, "stdout")).toBe("0 0\r\nerr\r\nready\r\n40 120\r\n");
  });

  test("takes what is typed, and ctrl-d", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/cat"], { tty: true, openStdin: true });
    const stream = await supervisor.attach(request, all);
    stream.write("typed\n");
    await supervisor.start(request);
    expect(await untilOutput(stream, "typed\r\ntyped\r\n")).toBe("typed\r\ntyped\r\n");
    stream.write("\u0004");
    expect((await exitOf(supervisor, request.id)).exitCode).toBe(0);
  });
});

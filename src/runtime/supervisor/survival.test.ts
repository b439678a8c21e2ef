import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { until } from "../../../test/oracle/until.js";
import { cannotRun, exitOf, Ground, outputs } from "./bundle.test.helper.js";

const client = fileURLToPath(new URL("./client.test.program.js", import.meta.url));
const output = { stdin: false, stdout: true, stderr: true };

describe.skipIf(cannotRun)(`the supervisor${cannotRun ? ` (${cannotRun})` : ""}`, () => {
  test("goes on when its client is killed while output flows: no line and no exit is lost", async () => {
    await using ground = new Ground();
    const flowing = ground.request("i=0; while :; do echo $((i += 1)); done", { openStdin: true, stdinOnce: true });
    const ended = ground.request("read line; exit 5", { openStdin: true });
    const child = spawn(process.execPath, [client, ground.run, JSON.stringify([flowing, ended])], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const size = () => statSync(ground.log(flowing.id)).size;
    const before = size();
    child.kill("SIGKILL");
    await once(child, "exit");
    await until(() => size() > before + 100_000);

    const supervisor = await ground.supervisor();
    expect((await supervisor.list()).map(({ id }) => id).sort()).toEqual([flowing.id, ended.id].sort());
    const stream = await supervisor.attach(ended, { ...output, stdin: true });
    stream.write("\n");
    expect((await exitOf(supervisor, ended.id)).exitCode).toBe(5);
    await supervisor.kill(flowing, 9);
    expect((await exitOf(supervisor, flowing.id)).exitCode).toBe(137);
    const lines = ground.logged(flowing.id).split("\n");
    // The last may be half a line: the process was killed.
    expect(lines.slice(0, -1)).toEqual(lines.slice(0, -1).map((_, index) => String(index + 1)));
  });

  test("keeps exits until they are acknowledged", async () => {
    await using ground = new Ground();
    const request = ground.request("exit 3");
    const first = await ground.supervisor();
    const stream = await first.attach(request, output);
    await first.start(request);
    await outputs(stream);
    await first[Symbol.asyncDispose]();
    await until(() => ground.supervisors().length === 0);
    const second = await ground.supervisor();
    expect(await second.list()).toMatchObject([{ id: request.id, exitCode: 3 }]);
    await expect(second.start(ground.request("true", { id: request.id }))).rejects.toThrow("has not been acknowledged");
    expect((await exitOf(second, request.id)).exitCode).toBe(3);
    expect(await second.list()).toEqual([]);
  });

  test("that was killed is followed by one that ends its containers and tells their exits", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request(["/bin/sleep", "1000"]);
    const { pid } = await supervisor.start(request);
    const ended = ground.request("exit 4");
    await supervisor.start(ended);
    for await (const exit of supervisor.exits(AbortSignal.timeout(10_000))) if (exit.id === ended.id) break;
    const [killed] = ground.supervisors();
    process.kill(killed!, "SIGKILL");
    const exit = await exitOf(supervisor, request.id);
    expect(exit).toMatchObject({ exitCode: 255, error: expect.stringContaining("was killed") });
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
    expect((await exitOf(supervisor, ended.id)).exitCode).toBe(4);
    // And containers run as before.
    const next = ground.request("exit 6", { id: request.id });
    await supervisor.start(next);
    expect((await exitOf(supervisor, next.id)).exitCode).toBe(6);
  });

  test("is one, however many start it at once, and whatever an older one has left", async () => {
    await using ground = new Ground();
    mkdirSync(ground.run, { recursive: true });
    const stale = createServer().listen(`${ground.run}/supervisor.sock`);
    await once(stale, "listening");
    // Its file stays behind when nobody listens any more, as that of a killed process.
    const { _handle: handle } = stale as unknown as { _handle: { close(): void; fd: number } };
    handle.close();
    const clients = await Promise.all(Array.from({ length: 6 }, () => ground.supervisor()));
    const requests = clients.map((_, index) => ground.request(`exit ${index}`));
    await Promise.all(clients.map((each, index) => each.start(requests[index]!)));
    expect(ground.supervisors()).toHaveLength(1);
    expect((statSync(`${ground.run}/supervisor.sock`).mode & 0o777).toString(8)).toBe("600");
    const exits = await Promise.all(requests.map(({ id }, index) => exitOf(clients[(index + 1) % 6]!, id)));
    expect(exits.map(({ exitCode }) => exitCode)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("hands nothing of the service manager's on", async () => {
    await using ground = new Ground();
    vi.stubEnv("NOTIFY_SOCKET", "/run/none");
    const supervisor = await ground.supervisor();
    await supervisor.start(ground.request(["/bin/sleep", "1000"]));
    vi.unstubAllEnvs();
    const [pid] = ground.supervisors();
    expect(readFileSync(`/proc/${pid}/environ`, "utf8")).not.toContain("NOTIFY_SOCKET");
  });

  test("ends when it has nothing to do, and is started again when there is something", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor("runc", 20);
    expect(ground.supervisors()).toEqual([]);
    for (const exitCode of [1, 2]) {
      const request = ground.request(`exit ${exitCode}`);
      await supervisor.start(request);
      expect(ground.supervisors()).toHaveLength(1);
      expect((await exitOf(supervisor, request.id)).exitCode).toBe(exitCode);
      await until(() => ground.supervisors().length === 0);
      expect(existsSync(`${ground.run}/supervisor.sock`)).toBe(false);
    }
    expect(await supervisor.list()).toEqual([]);
    await expect(supervisor.kill({ id: "x" }, 9)).rejects.toThrow("x is not running");
    await supervisor[Symbol.asyncDispose]();
    expect(existsSync(ground.run)).toBe(false);
  });

  test("takes its directory with it when nothing is left, whoever comes at that moment", async () => {
    await using ground = new Ground();
    // The next client comes when the supervisor of the one before is about to end.
    for (let round = 0; round < 6; round++) {
      await using supervisor = await ground.supervisor("runc", 20);
      const request = ground.request(`exit ${round}`);
      await supervisor.start(request);
      expect((await exitOf(supervisor, request.id)).exitCode).toBe(round);
      await supervisor[Symbol.asyncDispose]();
      await delay(round * 5);
    }
    await until(() => !existsSync(ground.run));
    // Killed while it freezes something, a daemon leaves a file of the runtime.
    await using last = await ground.supervisor("runc", 20);
    const request = ground.request("exit 0");
    writeFileSync(`${ground.run}/runc-0123456789ab.log`, "");
    await last.start(request);
    await exitOf(last, request.id);
    await last[Symbol.asyncDispose]();
    await until(() => !existsSync(ground.run));
    expect(ground.supervisors()).toEqual([]);
  });
});

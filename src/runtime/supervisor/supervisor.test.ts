import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cannotRun, exitOf, Ground, outputs } from "./bundle.test.helper.js";

const all = { stdin: true, stdout: true, stderr: true };

describe.skipIf(cannotRun)(`a supervised container${cannotRun && ` (${cannotRun})`}`, () => {
  test("gives its output and its exit, and leaves nothing", async () => {
    await using ground = new Ground();
    const supervisor = await ground.supervisor();
    const request = ground.request("echo out; echo err >&2; exit 7");
    const { id } = request;
    const stream = await supervisor.attach({ id }, { ...all, stdin: false });
    const { pid } = await supervisor.start(request);
    expect(pid).toBeGreaterThan(1);
    const { stdout, stderr } = await outputs(stream);
    expect([stdout.toString(), stderr.toString()]).toEqual(["out\n", "err\n"]);
    expect(await exitOf(supervisor, id)).toMatchObject({ id, exitCode: 7, oomKilled: false });
    const lines = readFileSync(ground.log(id), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).log).sort()).toEqual(["err\n", "out\n"]);
    expect(existsSync(request.bundle)).toBe(false);
    expect(existsSync(`/sys/fs/cgroup/memory/layerkit-test/${id}`)).toBe(false);
    expect(await supervisor.list()).toEqual([]);
    expect(readdirSync(`${ground.run}/processes`)).toEqual([]);
  });
});

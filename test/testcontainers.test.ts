import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Both } from "./oracle/both.js";
import { lacking } from "./oracle/programs.js";
import { output } from "./oracle/run.js";

const skip = lacking("root", "mounts", "loop", "dockerd", "docker", "containerd", "runc", "mkfs.ext4");
const program = fileURLToPath(new URL("./testcontainers.test.program.js", import.meta.url));

describe.skipIf(skip)("testcontainers, unchanged", () => {
  let both: Both;
  beforeAll(async () => {
    both = await Both.start();
  });
  afterAll(() => both[Symbol.asyncDispose]());

  test("starts a container, waits for its log, execs, copies in and out, commits, restarts and stops it", {
    timeout: 120_000,
  }, async () => {
    await both.play(async ({ socket }) => {
      const env = {
        DOCKER_HOST: `unix://${socket}`,
        TESTCONTAINERS_RYUK_DISABLED: "true",
        // It asks for a gateway where it runs in a container itself.
        TESTCONTAINERS_HOST_OVERRIDE: "localhost",
      };
      const seen = JSON.parse(await output(process.execPath, [program], { env, timeoutMs: 60_000 }));
      expect(seen).toEqual([
        { exitCode: 3, output: "value\ncopied before\n", stdout: "value\ncopied before\n", stderr: "" },
        expect.objectContaining({ exitCode: 0, output: "600 /var/deep/down\n" }),
        true,
        ["copied before", "it is up"],
        true,
        expect.objectContaining({ output: "copied after\n" }),
        true,
        "copied after\n",
      ]);
      return seen;
    });
  });
});

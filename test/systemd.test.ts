import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { layerkitMain } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { run } from "./oracle/run.js";
import { scratch } from "./oracle/scratch.js";

const contrib = fileURLToPath(new URL("../../contrib/systemd/", import.meta.url));

describe("systemd", () => {
  test.skipIf(lacking("systemd-analyze"))("finds nothing to say about the units", async () => {
    await using directory = await scratch();
    const units = join(directory.path, "units");
    await mkdir(units);
    for (const name of ["layerkit.service", "layerkit.socket"]) {
      const text = readFileSync(join(contrib, name), "utf8");
      await writeFile(
        join(units, name),
        text.replace("/usr/local/bin/layerkit", `${process.execPath} ${layerkitMain}`),
      );
    }
    const paths = ["layerkit.service", "layerkit.socket"].map((name) => join(units, name));
    const verified = await run("systemd-analyze", ["verify", "--man=no", ...paths]);
    expect(verified).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  const missing = lacking("root", "mounts", "systemd-socket-activate", "python3");
  test.skipIf(missing)("hands the socket over, and is told how the daemon stands", async () => {
    await using directory = await scratch();
    const [socket, notify] = [join(directory.path, "api.sock"), join(directory.path, "notify.sock")];
    const manager = spawn("python3", ["-uc", listener, notify], { stdio: ["ignore", "pipe", "inherit"] });
    const states: string[] = [];
    manager.stdout.on("data", (chunk) => {
      states.push(...String(chunk).trim().split("\n"));
      manager.emit("told");
    });
    const until = async (count: number) => {
      while (states.length < count) await once(manager, "told");
    };
    await until(1);
    const serve = [process.execPath, layerkitMain, "--root", join(directory.path, "root"), "serve", "-H", "fd://"];
    const daemon = spawn("systemd-socket-activate", ["-l", socket, "-E", `NOTIFY_SOCKET=${notify}`, ...serve]);
    try {
      await once(daemon.stderr, "data"); // "Listening on …": it starts the daemon at the first connection
      expect(await ping(socket)).toBe(200);
      await until(2);
      daemon.kill("SIGHUP");
      await until(4);
      daemon.kill("SIGTERM");
      await once(daemon, "exit");
      await until(5);
      expect(states).toEqual([
        "listening",
        "READY=1",
        expect.stringMatching(/^RELOADING=1 MONOTONIC_USEC=\d+$/),
        "READY=1",
        "STOPPING=1",
      ]);
      expect((await stat(socket)).isSocket()).toBe(true);
    } finally {
      daemon.kill("SIGKILL");
      manager.kill();
    }
  });

  test("that handed nothing over is told what to do", async () => {
    await using directory = await scratch();
    const serve = await run(process.execPath, [layerkitMain, "--root", directory.path, "serve", "-H", "fd://"]);
    expect(serve).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^layerkit: no sockets found via socket activation: /),
    });
    const images = await run(process.execPath, [layerkitMain, "-H", "fd://", "images"]);
    expect(images).toMatchObject({ status: 2, stderr: expect.stringContaining("-H fd:// is for serve") });
  });
});

/** A service manager's end of sd_notify(3): each state on a line. */
const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
say = lambda line: sys.stdout.write(line + "\\n")
say("listening")
while True: say(s.recv(4096).decode().replace("\\n", " "))
`;

function ping(socketPath: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: "/_ping" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.once("error", reject).end();
  });
}

import { once } from "node:events";
import { chmod, lstat, mkdtemp, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Listener } from "./listen.js";

const hangUp = (socket: Socket) => void socket.destroy();
const fail = (error: Error) => {
  throw error;
};

describe("sockets", () => {
  const inDirectory = async (run: (path: string) => Promise<void>) => {
    const dir = await mkdtemp(join(tmpdir(), "layerkit-"));
    await run(join(dir, "s")).finally(() => rm(dir, { recursive: true }));
  };

  test("a socket has mode 0660 and goes when it is closed", () =>
    inDirectory(async (path) => {
      const listener = await Listener.open(path, hangUp, fail);
      expect((await stat(path)).mode & 0o777).toBe(0o660);
      await listener[Symbol.asyncDispose]();
      await expect(lstat(path)).rejects.toThrow("ENOENT");
    }));

  test("a socket left by a dead process is replaced", () =>
    inDirectory(async (path) => {
      // A server whose file survives it, as after kill -9.
      const dead = createServer().listen(`${path}.x`);
      await once(dead, "listening");
      await rename(`${path}.x`, path);
      await new Promise((resolve) => dead.close(resolve));
      await using listener = await Listener.open(path, hangUp, fail);
      expect(listener.path).toBe(path);
    }));

  test("what was handed over has to be a socket", async () => {
    const file = await open("/dev/null");
    await expect(Listener.adopt(file.fd, hangUp, fail)).rejects.toThrow("is no socket for that");
    await file.close();
  });

  test("a socket that somebody serves, a file, and a path too long are refused", () =>
    inDirectory(async (path) => {
      await using _ = await Listener.open(path, hangUp, fail);
      await expect(Listener.open(path, hangUp, fail)).rejects.toThrow("another daemon");
      await writeFile(`${path}.file`, "");
      await chmod(`${path}.file`, 0o600);
      await expect(Listener.open(`${path}.file`, hangUp, fail)).rejects.toThrow("no socket");
      await expect(Listener.open(`/tmp/${"x".repeat(110)}`, hangUp, fail)).rejects.toThrow("too long");
    }));
});

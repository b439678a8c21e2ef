import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { beforeAll, describe, expect, test } from "vitest";
import { Dockerd } from "../../../test/oracle/dockerd.js";
import { call } from "../../../test/oracle/engine-call.js";
import { lacking } from "../../../test/oracle/programs.js";
import { type Scratch, scratch } from "../../../test/oracle/scratch.js";
import { smallRoot } from "../../../test/oracle/small-root.js";
import { readLog } from "./reader.js";
import { rotatedName } from "./rotate.js";
import { type LogOptions, LogWriter } from "./writer.js";

describe.skipIf(lacking("root", "mounts", "dockerd", "containerd", "runc", "docker 28"))(
  "logs are those of dockerd 20.10",
  () => {
    let dockerd: Dockerd;
    let directory: Scratch;

    beforeAll(async () => {
      directory = await scratch("/dev/shm");
      dockerd = await Dockerd.start(join(directory.path, "root"));
      const tar = await smallRoot(["sh", "cat", "seq"], {});
      await call(dockerd.socket, "/images/create?fromSrc=-&repo=small&tag=1", { method: "POST", body: tar });
      return async () => {
        await dockerd[Symbol.asyncDispose]();
        await directory[Symbol.asyncDispose]();
      };
    });

    /** Has dockerd log what a container writes. @returns the path of the log */
    async function logged(
      args: readonly string[],
      input: Uint8Array,
      command: string,
    ): Promise<{ id: string; path: string }> {
      const id = await dockerd.docker("create", "-i", "--network", "none", ...args, "small:1", "sh", "-c", command);
      await dockerd.tryDocker(["start", "-ai", id], { input });
      return { id, path: join(dockerd.dataRoot, "containers", id, `${id}-json.log`) };
    }

    async function oursOf(output: Buffer, options: Partial<LogOptions> = {}): Promise<string> {
      const path = join(directory.path, `${randomBytes(4).toString("hex")}.log`);
      const failed = (message: string) => expect.unreachable(message);
      const writer = await LogWriter.open({ path, ...options }, { drained: () => {}, failed });
      writer.write("stdout", output);
      await writer.close();
      return path;
    }

    const withoutTimes = (path: string) => readFileSync(path, "latin1").replace(/"time":"[^"]*"/g, '"time":""');

    test("byte for byte, but for the times", async () => {
      const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const output = Buffer.concat([
        Buffer.from('plain\n\n<&> \u2028\u2029 \ufffd \u{1f600} \u00e9 " \\ \t\r\n'),
        everyByte,
        Buffer.from([0xe2, 0x82, 0x0a, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0xc0, 0xaf, 0x0a]),
        Buffer.from(`${"x".repeat(16_383)}\n${"y".repeat(16_384)}\n${"z".repeat(16_385)}\n${"é".repeat(20_000)}\n`),
        randomBytes(50_000),
        Buffer.from("\nno end"),
      ]);
      const { path } = await logged([], output, "cat");
      expect(withoutTimes(await oursOf(output))).toBe(withoutTimes(path));
      const times = [...readFileSync(path, "latin1").matchAll(/"time":"([^"]*)"/g)].map(([, time]) => time);
      const lines = await buffer(readLog(path, { stdout: true, stderr: true, framed: false, timestamps: true }));
      expect(times.length).toBeGreaterThan(10);
      expect(lines.toString().startsWith(`${times[0]!.replace("Z", "").padEnd(29, "0")}Z plain\n`)).toBe(true);
    });

    test("files are put aside by the same rule", async () => {
      const command = "seq 1 4000";
      const options = ["--log-opt", "max-size=20k", "--log-opt", "max-file=4"];
      const { path } = await logged(options, Buffer.alloc(0), command);
      const lines = Buffer.from(Array.from({ length: 4000 }, (_, index) => `${index + 1}\n`).join(""));
      const ours = await oursOf(lines, { maxSize: 20_000, maxFiles: 4 });
      expect(readdirSync(join(path, "..")).filter((name) => name.includes("-json.log"))).toHaveLength(4);
      // How long a line is depends on its time, which has no zeros at its end: files cannot be compared line by line.
      for (const log of [path, ours]) {
        const files = [3, 2, 1].map((number) => rotatedName(log, number));
        for (const file of files) {
          const text = readFileSync(file, "utf8");
          expect(text.length).toBeGreaterThanOrEqual(20_000);
          expect(text.lastIndexOf("\n", text.length - 2) + 1).toBeLessThan(20_000);
        }
        const entries = [...files, log].flatMap((file) => readFileSync(file, "utf8").trim().split("\n"));
        const numbers = entries.map((entry) => Number(JSON.parse(entry).log));
        expect(numbers).toEqual(Array.from(numbers, (_, index) => 4001 - numbers.length + index));
      }
      expect(statSync(ours).mode).toBe(statSync(path).mode);
      expect(statSync(rotatedName(ours, 1)).mode).toBe(statSync(rotatedName(path, 1)).mode);
    });

    test.for([
      ["all", {}, []],
      ["the last lines", { tail: 13 }, ["--tail", "13"]],
      ["times", { timestamps: true, tail: 5 }, ["--timestamps", "--tail", "5"]],
      ["details", { details: true, tail: 5 }, ["--details", "--tail", "5"]],
      ["both", { details: true, timestamps: true, tail: 5 }, ["--details", "--timestamps", "--tail", "5"]],
    ] as const)("dockerd and we read the same from its files and from ours: %s", async ([, options, flags]) => {
      const setting = ["max-size=10k", "max-file=3", "labels=a*b,c", "env=E"].flatMap((option) => [
        "--log-opt",
        option,
      ]);
      const labels = ["--label", "a*b=1 2&ü!", "--label", "c=~", "--env", "E=(x)"];
      const script = "for i in $(seq 1 300); do echo out $i; echo err $i >&2; done";
      const { id, path } = await logged([...setting, ...labels], Buffer.alloc(0), script);
      const read = async (more: object) =>
        (await buffer(readLog(path, { stdout: true, stderr: true, framed: false, ...options, ...more }))).toString();
      const same = async () => {
        const { stdout, stderr } = await dockerd.tryDocker(["logs", ...flags, id]);
        expect([await read({ stderr: false }), await read({ stdout: false })]).toEqual([stdout, stderr]);
      };
      await same();
      for (const suffix of ["", ".1", ".2"]) rmSync(path + suffix, { force: true });
      const writer = await LogWriter.open(
        { path, maxSize: 10_000, maxFiles: 3, attrs: { "a*b": "1 2&ü!", c: "~", E: "(x)" } },
        { drained: () => {}, failed: (message) => expect.unreachable(message) },
      );
      for (let number = 1; number <= 300; number++) {
        writer.write("stdout", Buffer.from(`out ${number}\n`));
        writer.write("stderr", Buffer.from(`err ${number}\n`));
      }
      await writer.close();
      await same();
    });
  },
);

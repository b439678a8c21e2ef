import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Dockerd } from "./oracle/dockerd.js";
import { Layerkitd } from "./oracle/layerkitd.js";
import { lacking } from "./oracle/programs.js";
import { sampleArchive } from "./oracle/sample-image.js";
import { scratch } from "./oracle/scratch.js";

const skip = lacking("root", "mounts", "dockerd", "docker 28", "containerd", "runc");

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

type Asked = readonly [method: string, path: string, body?: string, type?: string];

function ask(socketPath: string, [method, path, body, type]: Asked): Promise<Answer> {
  const headers = type === undefined ? {} : { "Content-Type": type };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path: `/v1.41${path}`, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: answer.statusCode ?? 0, type: answer.headers["content-type"] ?? "", text });
      });
    });
    sent.on("error", reject).end(body);
  });
}

const json = "application/json";
const filters = (value: object) => `filters=${encodeURIComponent(JSON.stringify(value))}`;

/** Answers whose shape clients take apart. */
const shapes: Asked[] = [
  ["GET", "/info"],
  ["GET", "/version"],
  ["GET", "/images/json?all=1"],
  ["GET", "/images/sample:1/json"],
  ["GET", "/images/sample:1/history"],
  ["GET", "/containers/json?all=1&size=1"],
  ["GET", "/containers/one/json?size=1"],
  ["GET", "/containers/one/changes"],
  ["GET", "/system/df"],
  ["GET", "/networks"],
  ["GET", "/networks/none"],
  ["GET", "/volumes"],
  ["GET", "/volumes/vol"],
  ["POST", `/containers/prune?${filters({ label: { none: true } })}`],
  ["POST", "/images/prune"],
  ["POST", `/volumes/prune?${filters({ label: { none: true } })}`],
  ["POST", "/networks/prune"],
  ["POST", "/build/prune?filters=&all="],
];

/** Requests that fail, or do nothing. */
const refusals: Asked[] = [
  ["GET", "/nothing"],
  ["POST", "/info"],
  ["GET", "/containers/nope/json"],
  ["GET", "/images/nope/json"],
  ["GET", "/images/a/b:c/history"],
  ["GET", "/networks/nope"],
  ["GET", "/volumes/nope"],
  ["GET", "/plugins/nope/json"],
  ["GET", "/swarm"],
  ["GET", "/exec/nope/json"],
  ["HEAD", "/containers/one/archive?path=/nothing"],
  ["GET", "/containers/one/archive"],
  ["GET", "/containers/one/archive?path=/nothing"],
  ["PUT", "/containers/one/archive?path=/nothing"],
  ["PUT", "/containers/one/archive?path=/etc/app.conf"],
  ["PUT", "/containers/one/archive?path=/etc", "junk"],
  ["PUT", "/containers/one/archive?path=/etc", ""],
  ["POST", "/containers/create", '{"image":"nope","cmd":["x"]}', json],
  ["POST", "/containers/create", '{"image":"sample:1"}', "text/plain"],
  ["POST", "/containers/create", '{"image":', json],
  ["POST", "/containers/create", "", json],
  ["POST", "/containers/create?name=one", '{"image":"sample:1"}', json],
  ["POST", "/containers/create?name=a/b", '{"image":"sample:1"}', json],
  ["POST", "/containers/one/rename?name=one"],
  ["POST", "/containers/one/rename"],
  ["POST", "/commit"],
  ["POST", "/commit?container=nope"],
  ["POST", "/commit?container=one&changes=RUN%20x"],
  ["POST", "/commit?container=one&repo=UPPER"],
  ["POST", "/images/nope/tag?repo=x"],
  ["POST", "/images/sample:1/tag?repo=UPPER"],
  ["DELETE", "/images/nope"],
  ["DELETE", "/images/sample:1"],
  ["DELETE", "/containers/nope"],
  ["GET", `/images/json?${filters({ bogus: { a: true } })}`],
  ["GET", `/images/json?${filters({ dangling: { maybe: true } })}`],
  ["GET", "/images/json?filters=bogus"],
  ["GET", `/containers/json?${filters({ status: { bogus: true } })}`],
  ["GET", "/containers/json?limit=x"],
  ["GET", "/events?since=10&until=5"],
  ["GET", "/events?since=0&until=1"],
  ["POST", "/images/create?fromSrc=-", "junk"],
  ["POST", "/images/create?fromSrc=-&repo=UPPER", ""],
  ["POST", "/images/create?fromSrc=-&changes=RUN%20x", ""],
  ["POST", "/images/load", "junk"],
  ["GET", "/images/get?names=nope"],
  ["POST", "/volumes/create", '{"Name":"a/b"}', json],
  ["DELETE", "/volumes/nope"],
  ["DELETE", "/volumes/nope?force=1"],
];

/** What is told of the machine and of the build, not of images and containers; and what a container takes that is empty. */
const own = /^\/info\.(Runtimes|KernelMemory|KernelMemoryTCP|Warnings)\b|^\/system\/df\.Containers\[0\]\.SizeRw$/;

describe.skipIf(skip)("the Engine API beside dockerd's", () => {
  test("answers have its keys and types, failures its status", { timeout: 90_000 }, async () => {
    await using place = await scratch();
    await using ours = await Layerkitd.start(join(place.path, "ours"));
    await using theirs = await Dockerd.start(join(place.path, "theirs"));
    const archive = await sampleArchive("sample:1");
    for (const daemon of [ours, theirs]) {
      await daemon.tryDocker(["load"], { input: archive });
      await daemon.docker("create", "--name", "one", "-v", "/data", "-e", "A=b", "--label", "x=y", "sample:1", "ls");
      await daemon.docker("volume", "create", "vol");
    }
    const both = (asked: Asked) => Promise.all([ask(ours.socket, asked), ask(theirs.socket, asked)]);
    for (const asked of shapes) {
      const [our, their] = await both(asked);
      const where = asked[1].replace(/\?.*/, "");
      expect.soft([our.status, our.type], asked.join(" ")).toEqual([their.status, their.type]);
      expect.soft(differences(JSON.parse(our.text), JSON.parse(their.text), where)).toEqual([]);
    }
    for (const asked of refusals) {
      const [our, their] = await both(asked);
      // Later engines answer 400 to what 20.10 called its own fault.
      const status = our.status === 400 && their.status === 500 ? 500 : our.status;
      expect.soft([status, our.type], asked.join(" ")).toEqual([their.status, their.type]);
      expect.soft(keysOf(our.text), asked.join(" ")).toEqual(keysOf(their.text));
    }
  });
});

describe.skipIf(lacking("root", "mounts", "docker 28"))("docker commands made of many requests", () => {
  test("go through to their end", { timeout: 60_000 }, async () => {
    await using place = await scratch();
    await using daemon = await Layerkitd.start(join(place.path, "root"));
    await daemon.tryDocker(["load"], { input: await sampleArchive("sample:1") });
    await daemon.docker("create", "--name", "one", "-v", "/data", "sample:1");
    const said = async (...args: string[]) => {
      const { status, stdout, stderr } = await daemon.tryDocker(args);
      return `${status} ${stdout}${stderr}`;
    };
    expect(await said("inspect", "nothing")).toMatch(/^1 \[\]\nError: No such object: nothing\n$/);
    expect(await said("inspect", "--format", "{{.Name}}", "bridge")).toBe("0 bridge\n");
    expect(await said("system", "df", "-v")).toMatch(
      /^0 Images space usage:[\s\S]*Local Volumes space usage:[\s\S]*\n[0-9a-f]{64} +1 +\d[\d.]*k?B\n/,
    );
    expect(await said("volume", "ls", "-q")).toMatch(/^0 [0-9a-f]{64}\n$/);
    expect(await said("network", "ls", "--format", "{{.Name}}")).toBe("0 bridge\nhost\nnone\n");
    // Whole seconds: up to now would leave out what happened in this one.
    const next = `${Math.floor(Date.now() / 1000) + 1}`;
    expect(await said("events", "--since", "1h", "--until", next, "--filter", "type=container")).toMatch(
      /^0 \S+ container create [^\n]*name=one\)\n$/,
    );
    expect(await said("exec", "one", "ls")).toMatch(/^1 .*Container [0-9a-f]{64} is not running\n$/);
    expect(await said("pull", "127.0.0.1:1/none")).toContain("connection refused");
    expect(await said("node", "ls")).toContain("This node is not a swarm manager");
    expect(await said("system", "prune", "-af", "--volumes")).toMatch(
      /^0 Deleted Containers:[\s\S]*Deleted Volumes:[\s\S]*Deleted Images:[\s\S]*Total reclaimed space: [1-9]/,
    );
    expect(await said("system", "df", "--format", "{{.Type}} {{.TotalCount}}")).toBe(
      "0 Images 0\nContainers 0\nLocal Volumes 0\nBuild Cache 0\n",
    );
  });
});

/** Keys that one has and the other has not, and values of different types; `null` and an empty list are the same. */
function differences(our: unknown, their: unknown, at: string): string[] {
  if (own.test(at)) return [];
  const [kind, theirKind] = [kindOf(our), kindOf(their)];
  if (kind !== theirKind) return [`${at}: ${kind}, with dockerd ${theirKind}`];
  if (kind === "list") return differences((our as unknown[])[0], (their as unknown[])[0], `${at}[0]`);
  if (kind !== "object") return [];
  const [fields, theirFields] = [our as Record<string, unknown>, their as Record<string, unknown>];
  return [...new Set([...Object.keys(fields), ...Object.keys(theirFields)])].flatMap((key) =>
    differences(fields[key], theirFields[key], `${at}.${key}`),
  );
}

function kindOf(value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return "nothing";
  return Array.isArray(value) ? "list" : typeof value;
}

/** The keys of an error or of each message of a stream. */
function keysOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.startsWith("{"))
    .map((line) => Object.keys(JSON.parse(line)).join());
}

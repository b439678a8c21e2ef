import type { ExecCreateBody, Execs } from "../../engine/index.js";
import { type Answer, done, json } from "../http/answer.js";
import type { Call } from "../http/call.js";
import { connected } from "../http/output.js";
import { flag, list, object, type Shape, text, whole } from "../http/shape.js";
import type { Routes, Served } from "../served.js";
import { terminalSize } from "./processes.js";

/** A single word may stand for a list of it. */
const words: Shape<string[]> = (value, at) => (typeof value === "string" ? [value] : list(text)(value, at));

const createBody: Shape<ExecCreateBody> = object({
  User: text,
  Privileged: flag,
  Tty: flag,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  Detach: flag,
  DetachKeys: text,
  Env: list(text),
  WorkingDir: text,
  Cmd: words,
  ConsoleSize: list(whole),
});

const startBody = object({ Detach: flag, Tty: flag, ConsoleSize: list(whole) });

/** Further processes in running containers. @see engine-api 5.5 */
export function execRoutes({ execs }: Served): Routes {
  return [
    ["POST /containers/{id}/exec", (call) => create(execs, call)],
    ["POST /exec/{id}/start", (call) => start(execs, call)],
    ["POST /exec/{id}/resize", (call) => resize(execs, call)],
    ["GET /exec/{id}/json", async (call) => json(await execs.inspect(call.param("id")))],
  ];
}

async function create(execs: Execs, call: Call): Promise<Answer> {
  return json(await execs.create(call.param("id"), (await call.json(createBody)) ?? {}), 201);
}

async function start(execs: Execs, call: Call): Promise<Answer> {
  const { Detach: detach = false, Tty: tty = false } = (await call.json(startBody)) ?? {};
  const attached = await execs.start(call.param("id"), { detach, tty });
  return attached ? connected(attached, call.version) : done(200);
}

async function resize(execs: Execs, call: Call): Promise<Answer> {
  await execs.resize(call.param("id"), terminalSize(call));
  return done(200);
}

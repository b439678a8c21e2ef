import type {
  Processes,
  StopOptions,
  TerminalSize,
  UpdateBody,
  WaitCondition,
  WaitResult,
} from "../../engine/index.js";
import { goJSON, InvalidParameter, NotImplemented } from "../../spec/index.js";
import { type Answer, done, json, jsonType } from "../http/answer.js";
import type { Call, Handler } from "../http/call.js";
import { feed } from "../http/messages.js";
import { connected, outputType } from "../http/output.js";
import { anyObject, type Shape } from "../http/shape.js";
import type { Routes, Served } from "../served.js";

/** Read by the engine, which knows the fields and matches keys without regard to case. */
const updateBody = anyObject as Shape<UpdateBody>;

/** Running containers. @see engine-api 2.1, 2.4, 5.1 to 5.3, 5.6 */
export function processRoutes({ processes }: Served): Routes {
  /** For what is done to a container and says nothing but that it is done. */
  const told = (tell: (name: string, call: Call) => Promise<unknown>): Handler => {
    return async (call) => {
      const changed = await tell(call.param("id"), call);
      return done(changed === false ? 304 : 204);
    };
  };
  return [
    ["POST /containers/{id}/start", told((name, call) => start(processes, name, call))],
    ["POST /containers/{id}/stop", told((name, call) => processes.stop(name, stopOptions(call)))],
    ["POST /containers/{id}/restart", told((name, call) => processes.restart(name, stopOptions(call)))],
    ["POST /containers/{id}/kill", told((name, { query }) => processes.kill(name, query.text("signal")))],
    ["POST /containers/{id}/pause", told((name) => processes.pause(name))],
    ["POST /containers/{id}/unpause", told((name) => processes.unpause(name))],
    ["POST /containers/{id}/wait", (call) => wait(processes, call)],
    ["POST /containers/{id}/attach", (call) => attach(processes, call)],
    ["GET /containers/{id}/attach/ws", noWebSocket],
    ["POST /containers/{id}/resize", (call) => resize(processes, call)],
    ["POST /containers/{id}/update", (call) => update(processes, call)],
    ["GET /containers/{id}/logs", (call) => logs(processes, call)],
    [
      "GET /containers/{id}/top",
      async (call) => json(await processes.top(call.param("id"), call.query.text("ps_args"))),
    ],
    ["GET /containers/{id}/stats", (call) => stats(processes, call)],
  ];
}

function start(processes: Processes, name: string, { query }: Call): Promise<boolean> {
  if (query.text("checkpoint") !== undefined) throw new NotImplemented("starting from a checkpoint is not implemented");
  return processes.start(name);
}

function stopOptions({ query, version }: Call): StopOptions {
  const timeoutS = query.integer("t");
  const signal = version >= 42 ? query.text("signal") : undefined;
  return { ...(timeoutS !== undefined && { timeoutS }), ...(signal !== undefined && { signal }) };
}

const conditions: readonly WaitCondition[] = ["not-running", "next-exit", "removed"];

/** The headers tell that it waits: the docker command starts a container only then. */
async function wait(processes: Processes, call: Call): Promise<Answer> {
  const given = call.query.text("condition") ?? "not-running";
  const condition = conditions.find((known) => known === given);
  if (condition === undefined && call.version >= 42)
    throw new InvalidParameter(`invalid condition: ${JSON.stringify(given)}`);
  const signal = AbortSignal.any([call.signal, call.closing]);
  const { ended } = await processes.wait(call.param("id"), condition, { signal });
  return { status: 200, headers: { "Content-Type": jsonType }, stream: line(ended), atOnce: true };
}

async function* line(result: Promise<WaitResult>): AsyncIterable<string> {
  yield `${goJSON(await result)}\n`;
}

async function attach(processes: Processes, call: Call): Promise<Answer> {
  const { query } = call;
  const keys = query.text("detachKeys");
  const wanted = ["stdin", "stdout", "stderr", "logs", "stream"] as const;
  const options = Object.fromEntries(wanted.map((name) => [name, query.flag(name)]));
  const attached = await processes.attach(call.param("id"), { ...options, ...(keys && { detachKeys: keys }) });
  return connected(attached, call.version);
}

function noWebSocket(): never {
  throw new NotImplemented("attaching by WebSocket is not implemented: use POST /containers/{id}/attach");
}

async function resize(processes: Processes, call: Call): Promise<Answer> {
  await processes.resize(call.param("id"), terminalSize(call));
  return done(200);
}

/** @throws InvalidParameter: not two whole numbers */
export function terminalSize({ query }: Call): TerminalSize {
  const [height, width] = [query.integer("h"), query.integer("w")];
  if (height === undefined || width === undefined)
    throw new InvalidParameter("resizing a terminal needs its height as h, and its width as w");
  return { height, width };
}

async function update(processes: Processes, call: Call): Promise<Answer> {
  return json(await processes.update(call.param("id"), (await call.json(updateBody)) ?? {}));
}

async function logs(processes: Processes, call: Call): Promise<Answer> {
  const { query, version } = call;
  const [sinceNs, untilNs] = [query.timeNs("since"), query.timeNs("until")];
  const wanted = ["stdout", "stderr", "follow", "timestamps", "details"] as const;
  const tail = /^\d+$/.test(query.text("tail") ?? "") ? query.integer("tail") : undefined;
  const { tty, body } = await processes.logs(call.param("id"), {
    ...Object.fromEntries(wanted.map((name) => [name, query.flag(name)])),
    ...(sinceNs && { sinceNs }),
    ...(untilNs && { untilNs }),
    ...(tail !== undefined && { tail }),
    signal: AbortSignal.any([call.signal, call.closing]),
  });
  const headers = { "Content-Type": outputType(tty, version) };
  return { status: 200, headers, stream: body, atOnce: query.flag("follow") };
}

async function stats(processes: Processes, call: Call): Promise<Answer> {
  const { query } = call;
  const [stream, oneShot] = [query.flag("stream", true), query.flag("one-shot")];
  const signal = AbortSignal.any([call.signal, call.closing]);
  const samples = await processes.stats(call.param("id"), { stream, oneShot: oneShot && !stream, signal });
  return { ...feed(samples), atOnce: stream };
}

import { once } from "node:events";
import { type LayerInodes, productVersion } from "../../engine/index.js";
import { InvalidParameter, NotFound } from "../../spec/index.js";
import type { HeldMount, HeldMounts } from "../held-mounts.js";
import { type Answer, json } from "../http/answer.js";
import type { Call } from "../http/call.js";
import type { Failures } from "../http/failures.js";
import { messages } from "../http/messages.js";
import { object, text } from "../http/shape.js";
import type { Log } from "../log.js";
import type { Routes, Served } from "../served.js";

/** `GET /layerkit`: whom one talks to. */
export interface Identity {
  readonly Version: string;
  readonly Root: string;
  /** Name of the storage driver. */
  readonly Driver: string;
  readonly Pid: number;
  /** False: it ends with the command that started it, as soon as no other client is connected. */
  readonly Lasting: boolean;
}

/** What a daemon has beside its engine. */
export interface OwnState {
  readonly mounts: HeldMounts;
  readonly failures: Failures;
  readonly lasting: boolean;
  readonly log: Log;
}

/** What Docker has not, below `/layerkit`. */
export function ownRoutes(engine: Served, { mounts, failures, lasting }: OwnState): Routes {
  const identity = (): Identity => ({
    Version: productVersion,
    Root: engine.root,
    Driver: engine.driver.name,
    Pid: process.pid,
    Lasting: lasting,
  });
  return [
    ["GET /layerkit", () => json(identity())],
    [
      "GET /layerkit/check",
      ({ query, signal }) => messages(engine.doctor.check({ deep: query.flag("deep"), signal }), { atOnce: true }),
    ],
    [
      "GET /layerkit/df",
      async ({ query, signal }) => json(await engine.doctor.usage({ exact: query.flag("exact"), signal })),
    ],
    [
      "GET /layerkit/layers",
      async ({ query, signal }) => json(await engine.doctor.map({ size: query.flag("size"), signal })),
    ],
    ["GET /layerkit/pins", () => json(engine.pins.list())],
    ["POST /layerkit/pins/{name*}", async (call) => json({ Name: await engine.pins.add(call.param("name")) })],
    ["DELETE /layerkit/pins/{name*}", async (call) => json({ Name: await engine.pins.remove(call.param("name")) })],
    ["POST /layerkit/reclaim", async (call) => json(await engine.doctor.reclaim(reclaimOptions(call)))],
    ["GET /layerkit/inodes/{name*}", async (call) => json(await inodesOf(engine, call.param("name")))],
    ["GET /layerkit/failures/{request}", (call) => json({ message: failureOf(failures, call.param("request")) })],
    ["GET /layerkit/mounts", () => json(mounts.list())],
    ["POST /layerkit/mounts", (call) => mount(mounts, call)],
    ["DELETE /layerkit/mounts/{id}", async (call) => json(await mounts.release(call.param("id")))],
  ];
}

/** What an image takes with each driver, as `GET /layerkit/inodes/{name}` tells it. */
async function inodesOf({ layers }: Served, name: string): Promise<LayerInodes> {
  const [top] = layers.ofImage(name);
  return top ? layers.inodes(top.chainID) : { overlay2: 0, overlay: 0 };
}

function failureOf(failures: Failures, request: string): string {
  const message = failures.of(request);
  if (message === undefined) throw new NotFound(`request ${request} has not failed`);
  return message;
}

const mountBody = object({ Container: text });

/** With `hold` the mount lives as long as this request, whose answer ends when the client hangs up. */
async function mount(mounts: HeldMounts, call: Call): Promise<Answer> {
  const name = named(await call.json(mountBody));
  return call.query.flag("hold") ? messages(held(mounts, name, call.signal)) : json(await mounts.add(name), 201);
}

async function* held(mounts: HeldMounts, name: string, signal: AbortSignal): AsyncIterable<HeldMount> {
  const mount = await mounts.add(name);
  try {
    yield mount;
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    await mounts.release(mount.Container);
  }
}

function named(body: { Container?: string } | undefined): string {
  if (!body?.Container) throw new InvalidParameter("no container named to mount");
  return body.Container;
}

function reclaimOptions({ query, signal }: Call) {
  const untilNs = query.timeNs("until");
  const [images, volumes] = [query.text("images"), query.text("volumes")];
  return {
    ...{ signal, dryRun: query.flag("dry-run"), containers: query.flag("containers") },
    ...(images !== undefined && { images: oneOf("images", images, ["untagged", "all"]) }),
    ...(volumes !== undefined && { volumes: oneOf("volumes", volumes, ["anonymous", "all"]) }),
    ...(untilNs !== undefined && { untilNs }),
    ...{ labels: query.list("label"), notLabels: query.list("not-label") },
  };
}

function oneOf<W extends string>(name: string, value: string, words: readonly W[]): W {
  const word = words.find((each) => each === value);
  if (word === undefined)
    throw new InvalidParameter(`invalid ${name} ${JSON.stringify(value)}: want ${words.join(" or ")}`);
  return word;
}

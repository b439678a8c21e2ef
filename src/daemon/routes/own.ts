import { InvalidParameter } from "../../spec/index.js";
import type { HeldMounts } from "../held-mounts.js";
import { json } from "../http/answer.js";
import { object, text } from "../http/shape.js";
import { productVersion } from "../product.js";
import type { Routes, Served } from "../served.js";

/** `GET /layerkit`: whom one talks to. */
export interface Identity {
  readonly Version: string;
  readonly Root: string;
  readonly Pid: number;
  /** False: it ends with the command that started it, as soon as no other client is connected. */
  readonly Lasting: boolean;
}

/** What Docker has not, below `/layerkit`. */
export function ownRoutes(engine: Served, mounts: HeldMounts, lasting: boolean): Routes {
  const identity: Identity = { Version: productVersion, Root: engine.root, Pid: process.pid, Lasting: lasting };
  return [
    ["GET /layerkit", () => json(identity)],
    ["GET /layerkit/mounts", () => json(mounts.list())],
    ["POST /layerkit/mounts", async (call) => json(await mounts.add(named(await call.json(mountBody))), 201)],
    ["DELETE /layerkit/mounts/{id}", async (call) => json(await mounts.release(call.param("id")))],
  ];
}

const mountBody = object({ Container: text });

function named(body: { Container?: string } | undefined): string {
  if (!body?.Container) throw new InvalidParameter("no container named to mount");
  return body.Container;
}

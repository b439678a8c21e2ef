import type { Handler } from "../http/call.js";
import { Router } from "../http/router.js";
import type { Served } from "../served.js";
import { absentRoutes } from "./absent.js";
import { containerRoutes } from "./containers.js";
import { execRoutes } from "./execs.js";
import { fileRoutes } from "./files.js";
import { imageRoutes } from "./images.js";
import { networkRoutes } from "./networks.js";
import { type OwnState, ownRoutes } from "./own.js";
import { processRoutes } from "./processes.js";
import { pruneRoutes } from "./prune.js";
import { registryRoutes } from "./registry.js";
import { systemRoutes } from "./system.js";
import { transferRoutes } from "./transfer.js";
import { volumeRoutes } from "./volumes.js";

/** Every endpoint. Image names may hold slashes, so what has fixed words comes before what has names. */
export function routerOf(engine: Served, own: OwnState): Router<Handler> {
  const router = new Router<Handler>();
  const groups = [
    systemRoutes(engine, own),
    pruneRoutes(engine),
    transferRoutes(engine),
    registryRoutes(engine),
    absentRoutes(engine),
    imageRoutes(engine),
    containerRoutes(engine),
    processRoutes(engine),
    execRoutes(engine),
    fileRoutes(engine),
    volumeRoutes(engine),
    networkRoutes(engine),
    ownRoutes(engine, own),
  ];
  for (const [pattern, handler] of groups.flat()) router.add(pattern, handler);
  return router;
}

/**
 * The Docker Engine API over one engine: HTTP on unix sockets, and nothing else. Requests are parsed and handed to the
 * engine, what it returns is serialised; streams pass through at the pace of the slower end. `serve` opens a data root
 * and answers until closed.
 */
export { takeActivated } from "./activation.js";
export { Daemon, type DaemonOptions } from "./daemon.js";
export type { HeldMount } from "./held-mounts.js";
export { apiVersion } from "./http/version.js";
export { Log, type LogLevel } from "./log.js";
export type { Identity } from "./routes/own.js";
export { type ServeOptions, serve } from "./serve.js";
export type { Served } from "./served.js";
export { ServiceManager } from "./service-manager.js";

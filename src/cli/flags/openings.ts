import type { CreateRequest } from "./create-body.js";
import { type Flag, words } from "./flag.js";
import { exposedPorts, portBindings } from "./ports.js";

/** What a container shares with its host by path and by port; the request tells of these in two places. */
export const openingFlags: readonly Flag<CreateRequest>[] = [
  words("-v, --volume <[source:]target[:options]>", "bind mount or volume", (body, volumes) => {
    body.HostConfig.Binds = volumes.filter((volume) => volume.includes(":"));
    body.Volumes = Object.fromEntries(volumes.filter((volume) => !volume.includes(":")).map((path) => [path, {}]));
  }),
  words("-p, --publish <[[address:]port:]port[/protocol]>", "port of the host for one inside", (body, given) => {
    body.HostConfig.PortBindings = portBindings(given, "--publish");
    expose(body, Object.keys(body.HostConfig.PortBindings));
  }),
  words("--expose <port[/protocol]>", "port that others may use", (body, given) => {
    expose(body, Object.keys(exposedPorts(given, "--expose")));
  }),
];

function expose(body: CreateRequest, ports: readonly string[]): void {
  body.ExposedPorts = { ...body.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
}

import { InvalidParameter } from "../spec/index.js";
import { Connections } from "./connections.js";
import { InsecureHosts } from "./insecure-hosts.js";
import type { RegistriesOptions } from "./options.js";
import { realTime, type Time } from "./time.js";
import { httpURL } from "./url.js";

/** What all requests of a process share. */
export interface Shared {
  readonly connections: Connections;
  readonly insecure: InsecureHosts;
  readonly mirrors: readonly URL[];
  readonly attempts: number;
  readonly time: Time;
}

/** @throws InvalidParameter: a mirror or a network that is none */
export function sharedOf(options: RegistriesOptions): Shared {
  const { insecure = [], mirrors = [], userAgent = "layerkit", attempts = 5, silenceMs = 60_000 } = options;
  const { certificates = "/etc/docker/certs.d", time } = options;
  return {
    connections: new Connections({ userAgent, silenceMs, certificates }),
    insecure: new InsecureHosts(insecure),
    mirrors: mirrors.map(mirrorURL),
    attempts,
    time: { ...realTime, ...time },
  };
}

function mirrorURL(text: string): URL {
  const url = httpURL(text);
  if (url === undefined) throw new InvalidParameter(`invalid mirror: want http://HOST or https://HOST: ${text}`);
  return new URL("/", url);
}

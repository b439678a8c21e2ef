import { isIP } from "node:net";
import type { RegistriesOptions } from "../registry/index.js";
import { InvalidParameter } from "../spec/index.js";
import { productVersion } from "./product.js";

/** What an engine's options say of registries. */
export interface RegistrySettings {
  /** How registries are spoken to. */
  readonly registries?: RegistriesOptions;
  /** Layers fetched at the same time, over all pulls. 3 unless given. */
  readonly maxConcurrentDownloads?: number;
  /** Layers brought to registries at the same time, over all pushes. 5 unless given. */
  readonly maxConcurrentUploads?: number;
}

/** The same with what is usual for what was left out. */
export interface CheckedSettings {
  readonly registries: RegistriesOptions &
    Required<Pick<RegistriesOptions, "insecure" | "mirrors" | "attempts" | "userAgent">>;
  /** 0 is any number. */
  readonly maxConcurrentDownloads: number;
  readonly maxConcurrentUploads: number;
}

/** @throws InvalidParameter: in dockerd's words */
export function checkedSettings(settings: RegistrySettings): CheckedSettings {
  const {
    insecure = [],
    mirrors = [],
    attempts = 5,
    userAgent = `layerkit/${productVersion}`,
  } = settings.registries ?? {};
  return {
    registries: {
      ...settings.registries,
      insecure: unique(insecure.map(insecureName)),
      mirrors: unique(mirrors.map(mirrorURL)),
      attempts: atLeast(1, attempts, "max download attempts"),
      userAgent,
    },
    maxConcurrentDownloads: atLeast(0, settings.maxConcurrentDownloads ?? 3, "max concurrent downloads"),
    maxConcurrentUploads: atLeast(0, settings.maxConcurrentUploads ?? 5, "max concurrent uploads"),
  };
}

/** What `docker info` shows of them. */
export function registryInfo({ registries: { insecure, mirrors } }: CheckedSettings): object {
  const index = (name: string, mirrors: readonly string[], official: boolean) => [
    name,
    { Name: name, Mirrors: mirrors, Secure: official, Official: official },
  ];
  const hosts = insecure.filter((name) => !isNetwork(name));
  return {
    AllowNondistributableArtifactsCIDRs: [],
    AllowNondistributableArtifactsHostnames: [],
    InsecureRegistryCIDRs: [...insecure.filter(isNetwork), "127.0.0.0/8"],
    IndexConfigs: Object.fromEntries([
      index("docker.io", mirrors, true),
      ...hosts.map((name) => index(name, [], false)),
    ]),
    Mirrors: mirrors,
  };
}

/** A host with or without port, or a network; a scheme before it means nothing, as for dockerd. */
function insecureName(text: string): string {
  const name = text.trim().replace(/^https?:\/\//i, "");
  if (isNetwork(name)) return networkOf(name);
  const bad = (why: string) => new InvalidParameter(`insecure registry ${text} is not valid: ${why}`);
  if (!/^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?)(:[0-9]+)?$/.test(name)) {
    throw bad(`invalid host ${JSON.stringify(name)}`);
  }
  const port = /:([0-9]+)$/.exec(name.replace(/^\[.*\]/, ""))?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) throw bad(`invalid port ${port}`);
  return name;
}

function isNetwork(name: string): boolean {
  const [, address = "", bits] = /^([^/]*)\/(\d{1,3})$/.exec(name) ?? [];
  return isIP(address) > 0 && Number(bits) <= (isIP(address) === 4 ? 32 : 128);
}

/** `10.1.2.3/16` is `10.1.0.0/16`. IPv6 networks stay as they were written. */
function networkOf(name: string): string {
  const [address = "", bits = ""] = name.split("/");
  if (isIP(address) !== 4) return name;
  const number = address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const first = number - (number % 2 ** (32 - Number(bits)));
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".")}/${bits}`;
}

function mirrorURL(text: string): string {
  const bad = (why: string) => new InvalidParameter(`invalid mirror: ${why}`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1] ?? "";
    throw bad(`unsupported scheme ${JSON.stringify(scheme)} in ${JSON.stringify(text)}`);
  }
  if (url.username || url.password) throw bad(`username/password not allowed in URI of host ${url.host}`);
  if (url.pathname !== "/" || url.search || url.hash) {
    throw bad(`path, query, or fragment at end of the URI ${JSON.stringify(text)}`);
  }
  return url.href;
}

function atLeast(least: number, value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < least) throw new InvalidParameter(`invalid ${what}: ${value}`);
  return value;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

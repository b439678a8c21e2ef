import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunConfig } from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import type { StoredContainer } from "../container/stored.js";

/** Where a container's files for /etc are, in its own directory or in that of the one whose network it shares. */
export type NetworkFiles = Pick<StoredContainer, "HostnamePath" | "HostsPath" | "ResolvConfPath">;

export interface NetworkFacts {
  /** The host's own network. */
  readonly host: boolean;
  /** Address and names, for /etc/hosts. */
  readonly names: readonly (readonly [address: string, names: string])[];
}

const usualHosts: NetworkFacts["names"] = [
  ["127.0.0.1", "localhost"],
  ["::1", "localhost ip6-localhost ip6-loopback"],
  ["fe00::0", "ip6-localnet"],
  ["ff00::0", "ip6-mcastprefix"],
  ["ff02::1", "ip6-allnodes"],
  ["ff02::2", "ip6-allrouters"],
];

/** Writes what a container sees as /etc/hostname, /etc/hosts and /etc/resolv.conf, as dockerd does at each start. */
export async function writeNetworkFiles(
  directory: string,
  { Hostname = "" }: RunConfig,
  host: HostConfig,
  network: NetworkFacts,
): Promise<NetworkFiles> {
  const at = (name: string) => join(directory, name);
  const resolv = await resolvConf(host, network);
  const hash = `sha256:${createHash("sha256").update(resolv).digest("hex")}`;
  await Promise.all([
    writeFile(at("hostname"), `${Hostname}\n`),
    writeFile(at("hosts"), await hosts(host, network)),
    writeFile(at("resolv.conf"), resolv),
    writeFile(at("resolv.conf.hash"), hash),
  ]);
  return { HostnamePath: at("hostname"), HostsPath: at("hosts"), ResolvConfPath: at("resolv.conf") };
}

async function hosts({ ExtraHosts }: HostConfig, { host, names }: NetworkFacts): Promise<string> {
  const begin = host ? await readFile("/etc/hosts", "utf8").catch(() => "") : lines(usualHosts);
  const extra = (ExtraHosts ?? []).map((entry) => {
    const colon = entry.indexOf(":");
    return [entry.slice(colon + 1), entry.slice(0, colon)] as const;
  });
  return begin + lines([...extra, ...names]);
}

function lines(entries: NetworkFacts["names"]): string {
  return entries.map(([address, names]) => `${address}\t${names}\n`).join("");
}

/** The host's, with what the container asks for in its place; name servers that only the host can reach are left out. */
async function resolvConf({ Dns, DnsSearch, DnsOptions }: HostConfig, { host }: NetworkFacts): Promise<string> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  if (Dns?.length || DnsSearch?.length || DnsOptions?.length) return askedFor(text, Dns, DnsSearch, DnsOptions);
  return host ? text : reachable(text);
}

type Words = readonly string[] | null | undefined;

function askedFor(text: string, Dns: Words, DnsSearch: Words, DnsOptions: Words): string {
  const of = (keyword: string) =>
    text
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([word]) => word === keyword)
      .map(([, ...values]) => values);
  const search = DnsSearch?.length ? DnsSearch : (of("search").at(-1) ?? []);
  const servers = Dns?.length ? Dns : of("nameserver").flat();
  const options = DnsOptions?.length ? DnsOptions : (of("options").at(-1) ?? []);
  const all = [
    ...(search.length > 0 && search.join(" ") !== "." ? [`search ${search.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 && options.join("") !== "" ? [`options ${options.join(" ")}`] : []),
  ];
  return all.map((line) => `${line}\n`).join("");
}

const ownServer = /^\s*nameserver\s+(127\.\S*|::1)\s*$/;

function reachable(text: string): string {
  const kept = text.split("\n").filter((line) => !ownServer.test(line));
  if (kept.some((line) => /^\s*nameserver\s/.test(line))) return kept.join("\n");
  const rest = kept.join("\n").trimEnd();
  return `${rest}${rest === "" ? "" : "\n"}nameserver 8.8.8.8\nnameserver 8.8.4.4\n`;
}

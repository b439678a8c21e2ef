import { readFileSync } from "node:fs";
import { Unavailable } from "../../spec/index.js";
import { interfaceAddress } from "../../sys/index.js";
import { overlap, parseSubnet, type Subnet, subnetText } from "./subnet.js";

/** What Docker takes networks from, in its order. */
const pool: readonly Subnet[] = [
  ...Array.from({ length: 15 }, (_, index) => parseSubnet(`172.${17 + index}.0.0/16`)),
  ...Array.from({ length: 16 }, (_, index) => parseSubnet(`192.168.${index * 16}.0/20`)),
];

/** The address and subnet that an interface of the host has, if it is there and has one. */
export function addressOfDevice(device: string): { address: number; subnet: Subnet } | undefined {
  const found = interfaceAddress(device);
  if (!found) return undefined;
  const { address, netmask } = found;
  return { address, subnet: { base: (address & netmask) >>> 0, prefix: bits(netmask) } };
}

/** The first subnet of Docker's pool through which the host reaches nothing yet. @throws Unavailable: all are taken */
export function freeSubnet(routes = hostRoutes()): Subnet {
  const free = pool.find((subnet) => routes.every((route) => !overlap(route, subnet)));
  if (!free) {
    const [first, last] = [pool[0], pool.at(-1)].map((subnet) => subnet && subnetText(subnet));
    throw new Unavailable(
      `no subnet between ${first} and ${last} is free: name one for the bridge ("bip" in daemon.json)`,
    );
  }
  return free;
}

/** Where the host has a way to, but for the one to everywhere. */
function hostRoutes(): Subnet[] {
  const [, ...lines] = readFileSync("/proc/net/route", "utf8").trimEnd().split("\n");
  return lines.flatMap((line) => {
    const [, destination = "", , , , , , mask = ""] = line.split("\t");
    const prefix = bits(swapped(mask));
    return prefix === 0 ? [] : [{ base: swapped(destination), prefix }];
  });
}

/** The kernel writes addresses as hexadecimal numbers of the machine's byte order. */
function swapped(text: string): number {
  const bytes = Buffer.from(new Uint32Array([Number.parseInt(text, 16)]).buffer);
  return bytes.readUInt32BE();
}

function bits(mask: number): number {
  return mask.toString(2).replaceAll("0", "").length;
}

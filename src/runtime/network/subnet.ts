import { InvalidParameter } from "../../spec/index.js";

/** A range of IPv4 addresses: the first of them as a number, and how many leading bits all have in common. */
export interface Subnet {
  readonly base: number;
  readonly prefix: number;
}

/** Of `ADDRESS/PREFIX`; bits of the address beyond the prefix are dropped. @throws InvalidParameter */
export function parseSubnet(text: string): Subnet {
  const [address = "", length = ""] = text.split("/");
  const prefix = /^\d{1,2}$/.test(length) ? Number(length) : Number.NaN;
  if (!(prefix >= 1 && prefix <= 30)) throw new InvalidParameter(`invalid IPv4 subnet: ${text}`);
  return { base: (parseAddress(address) & mask(prefix)) >>> 0, prefix };
}

/** @throws InvalidParameter */
export function parseAddress(text: string): number {
  const parts = text.split(".");
  const bytes = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (bytes.length !== 4 || bytes.some((byte) => byte > 255)) {
    throw new InvalidParameter(`invalid IPv4 address: ${text}`);
  }
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** As `ADDRESS/PREFIX`. */
export function subnetText({ base, prefix }: Subnet): string {
  return `${addressText(base)}/${prefix}`;
}

export function contains({ base, prefix }: Subnet, address: number): boolean {
  return (address & mask(prefix)) >>> 0 === base;
}

export function overlap(one: Subnet, other: Subnet): boolean {
  return contains(one, other.base) || contains(other, one.base);
}

/** The first address of a subnet that a host may have: Docker's choice of gateway. */
export function firstAddress({ base }: Subnet): number {
  return base + 1;
}

/** The lowest address of a host that is not taken; undefined when all are. */
export function freeAddress(subnet: Subnet, taken: ReadonlySet<number>): number | undefined {
  const broadcast = subnet.base + 2 ** (32 - subnet.prefix) - 1;
  for (let address = firstAddress(subnet); address < broadcast; address++) if (!taken.has(address)) return address;
  return undefined;
}

/** The hardware address that Docker gives to who has an address: neighbours need not learn it anew. */
export function hardwareAddress(address: number): string {
  const bytes = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);
  return [2, 0x42, ...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function mask(prefix: number): number {
  return -(2 ** (32 - prefix));
}

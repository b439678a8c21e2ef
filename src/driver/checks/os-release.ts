import { readFileSync } from "node:fs";

/** What the distribution says of itself; empty where it says nothing. @see os-release(5) */
export function osRelease(): Map<string, string> {
  for (const path of ["/etc/os-release", "/usr/lib/os-release"]) {
    try {
      return parseOsRelease(readFileSync(path, "utf8"));
    } catch {}
  }
  return new Map();
}

export function parseOsRelease(text: string): Map<string, string> {
  const lines = [...text.matchAll(/^([A-Z_0-9]+)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\r\n]*))\r?$/gm)];
  return new Map(
    lines.map(([, key = "", double, single, plain]) => [key, double?.replace(/\\(.)/g, "$1") ?? single ?? plain ?? ""]),
  );
}

import { readFileSync } from "node:fs";
import os from "node:os";
import type { Version } from "./api-system.js";

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
);

/** The version of this package. */
export const productVersion = manifest.version;

/** Newest and oldest Engine API whose shapes the operations give. */
const api = { ApiVersion: "1.41", MinAPIVersion: "1.24" };

/** The machine's architecture in Go's words, as image configs name it. */
export const architecture: string = { x64: "amd64", ia32: "386", arm64: "arm64" }[os.arch() as string] ?? os.arch();

export function versionData(): Version {
  const common = { ...api, GitCommit: "", GoVersion: "", Os: "linux", Arch: architecture };
  const here = { ...common, KernelVersion: os.release(), BuildTime: "" };
  return {
    Platform: { Name: "layerkit" },
    Components: [{ Name: "Engine", Version: productVersion, Details: { ...here, Experimental: "false" } }],
    Version: productVersion,
    ...here,
  };
}

import { DataLoss, messageOf, parseJSON, type RunConfig, zeroTime } from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import { fullHostConfig, withHostDefaults } from "../host-config.js";
import { hasCgroup2 } from "../machine.js";
import { neverRun, type StoredContainer, type StoredMount } from "./stored.js";

/**
 * Reads `config.v2.json` as dockerd wrote it, or as a person did: what may be absent gets what dockerd would put there.
 *
 * @param id name of the directory it was in
 * @throws DataLoss: not JSON, no id or another one, or without what everything relies on
 */
export function parseStored(id: string, text: string): StoredContainer {
  const stored = object(text, "config.v2.json") as Partial<StoredContainer>;
  if (stored.ID !== id) throw new DataLoss(`container ${id} is stored at ${stored.ID ?? "no id"}`);
  if (!isObject(stored.Config)) throw new DataLoss("config.v2.json has no Config");
  if (typeof stored.Driver !== "string") throw new DataLoss("config.v2.json has no Driver");
  if (stored.Name !== undefined && typeof stored.Name !== "string") throw new DataLoss("Name is not text");
  const { State: state, NetworkSettings: networks, MountPoints: mounts } = stored;
  const image = typeof stored.Image === "string" ? stored.Image : "";
  const given = stored.Config as RunConfig;
  const config: RunConfig = { ...given, Image: given.Image || image };
  return {
    ...(stored as StoredContainer),
    State: { ...neverRun(), ...(isObject(state) ? state : {}) },
    Created: typeof stored.Created === "string" ? stored.Created : zeroTime,
    Path: typeof stored.Path === "string" ? stored.Path : "",
    Args: isTexts(stored.Args) ? stored.Args : [],
    Config: config,
    Image: image,
    NetworkSettings: isObject(networks) ? networks : {},
    Name: stored.Name ? `/${stored.Name.replace(/^\//, "")}` : "",
    OS: stored.OS || "linux",
    MountPoints: isObject(mounts) ? validMounts(mounts) : {},
  };
}

/** Reads `hostconfig.json`; an absent one is Docker's defaults. @throws DataLoss: not JSON */
export function parseHostConfig(text: string | undefined): HostConfig {
  const host = text === undefined ? {} : (object(text, "hostconfig.json") as HostConfig);
  return text === undefined ? withHostDefaults(fullHostConfig({}), { cgroup2: hasCgroup2(), asked: false }) : host;
}

function object(text: string, file: string): object {
  let value: unknown;
  try {
    value = parseJSON(text);
  } catch (error) {
    throw new DataLoss(`${file} is not JSON: ${messageOf(error)}`, { cause: error });
  }
  if (!isObject(value)) throw new DataLoss(`${file} is not a JSON object`);
  return value;
}

function validMounts(mounts: Record<string, unknown>): Record<string, StoredMount> {
  const valid = Object.entries(mounts).filter((entry): entry is [string, StoredMount] => isObject(entry[1]));
  return Object.fromEntries(valid);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

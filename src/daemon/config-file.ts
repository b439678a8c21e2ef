import { readFile } from "node:fs/promises";
import { InvalidParameter, isErrno, messageOf, NotFound } from "../spec/index.js";
import { anything, flag, list, map, object, text, whole } from "./http/shape.js";

const known = {
  "data-root": text,
  "storage-driver": text,
  "storage-opts": list(text),
  hosts: list(text),
  debug: flag,
  "insecure-registries": list(text),
  "registry-mirrors": list(text),
  "max-concurrent-downloads": whole,
  "max-concurrent-uploads": whole,
  "max-download-attempts": whole,
};

const shape = object(known);

/** What `daemon.json` may say, in dockerd's keys. */
export type ConfigFile = ReturnType<typeof shape>;

/**
 * Reads a `daemon.json`.
 *
 * @throws NotFound; InvalidParameter: not JSON, a value of the wrong kind, or a key this version does not know
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    const unknown = Object.keys(map(anything)(value, "")).filter((key) => !(key in known));
    if (unknown.length > 0)
      throw new InvalidParameter(`unknown keys ${unknown.join(", ")}; known are ${Object.keys(known).join(", ")}`);
    return shape(value, "");
  } catch (error) {
    if (isErrno(error, "ENOENT")) throw new NotFound(`config file ${path} does not exist`, { cause: error });
    const why = messageOf(error).replace("invalid JSON in request body: ", "");
    throw new InvalidParameter(`config file ${path}: ${why}`, { cause: error });
  }
}

import * as spec from "../../spec/index.js";
import { type Descriptor, InvalidParameter, messageOf } from "../../spec/index.js";

/** The descriptors an index lists. @param where names it in errors. @throws InvalidParameter */
export function descriptorsIn(index: unknown, where: string, key: "manifests" | "layers" = "manifests"): Descriptor[] {
  return inArchive(() => spec.descriptorsIn(index, key, where));
}

/** A descriptor out of JSON, its kinds checked. @throws InvalidParameter */
export function descriptorIn(value: unknown, where: string): Descriptor {
  return inArchive(() => spec.descriptorIn(value, where));
}

function inArchive<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InvalidParameter(`invalid archive: ${messageOf(error)}`, { cause: error });
  }
}

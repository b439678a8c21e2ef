import { join } from "node:path";
import type { LogTarget } from "../../runtime/index.js";
import { InvalidParameter, NotImplemented } from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import type { Container } from "../container/container-store.js";

const options = ["max-file", "max-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag"];
const units: Readonly<Record<string, number>> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** What is wrong with a container's log config; undefined: nothing. In dockerd's words. */
export function logComplaint({ Type: type = "", Config }: NonNullable<HostConfig["LogConfig"]>): string | undefined {
  if (type !== "json-file" && type !== "") return undefined;
  const given = Object.entries(Config ?? {});
  const unknown = given.find(([key]) => !options.includes(key));
  if (unknown) return `unknown log opt '${unknown[0]}' for json-file log driver`;
  const size = Config?.["max-size"];
  if (size !== undefined && size !== "-1" && bytesIn(size) === undefined) return `invalid size: '${size}'`;
  const files = Config?.["max-file"];
  if (files === undefined) return undefined;
  if (!/^\d+$/.test(files)) return `strconv.Atoi: parsing ${JSON.stringify(files)}: invalid syntax`;
  return Number(files) < 1 ? "max-file cannot be less than 1" : undefined;
}

function bytesIn(text: string): number | undefined {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgtb]?)(?:i?b)?$/i.exec(text) ?? [];
  const factor = units[unit.toLowerCase()];
  return number === undefined || factor === undefined ? undefined : Math.floor(Number(number) * factor);
}

/**
 * Where a container's output is written; undefined by log driver `none`.
 *
 * @param directory the container's own
 * @throws NotImplemented: another log driver; InvalidParameter: bad options
 */
export function logTarget(directory: string, { stored, host }: Container): LogTarget | undefined {
  const log = host.LogConfig ?? {};
  const type = log.Type || "json-file";
  if (type === "none") return undefined;
  if (type !== "json-file") {
    const instead = "layerkit has json-file and none";
    throw new NotImplemented(`failed to initialize logging driver: no log driver named '${type}' is here: ${instead}`);
  }
  const why = logComplaint(log);
  if (why !== undefined) throw new InvalidParameter(`failed to initialize logging driver: ${why}`);
  const { "max-size": size, "max-file": files, compress, ...naming } = log.Config ?? {};
  const maxSize = size === undefined ? undefined : bytesIn(size);
  const attrs = attributes(naming, stored.Config);
  return {
    path: join(directory, `${stored.ID}-json.log`),
    ...(maxSize !== undefined && maxSize > 0 && { maxSize }),
    ...(files !== undefined && { maxFiles: Number(files) }),
    ...(compress === "true" && { compress: true }),
    ...(Object.keys(attrs).length > 0 && { attrs }),
  };
}

/** The labels and variables that the log options name, by name. */
function attributes(
  naming: Readonly<Record<string, string>>,
  { Labels, Env }: Container["stored"]["Config"],
): Record<string, string> {
  const variables = Object.fromEntries(
    (Env ?? []).map((entry) => [entry.split("=", 1)[0], entry.replace(/^[^=]*=?/, "")]),
  );
  const chosen = (from: Readonly<Record<string, string>>, list = "", pattern = "") => {
    const names = list.split(",").filter(Boolean);
    const fits = (name: string) => names.includes(name) || (pattern !== "" && new RegExp(pattern).test(name));
    return Object.entries(from).filter(([name]) => fits(name));
  };
  return Object.fromEntries([
    ...chosen(Labels ?? {}, naming.labels, naming["labels-regex"]),
    ...chosen(variables, naming.env, naming["env-regex"]),
    ...(naming.tag ? [["tag", naming.tag] as const] : []),
  ]);
}

import { join } from "node:path";
import type { LogTarget } from "../../runtime/index.js";
import { InvalidParameter, NotImplemented } from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import type { Container } from "../container/container-store.js";

const options = ["max-file", "max-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag"];
/** Those of log files are powers of ten. */
const units = ["", "k", "m", "g", "t", "p"];

/** What dockerd refuses of a log config at create, in its words; undefined: nothing. */
export function logComplaint({ Type: type = "", Config }: NonNullable<HostConfig["LogConfig"]>): string | undefined {
  if (type !== "json-file" && type !== "") return undefined;
  const unknown = Object.keys(Config ?? {}).find((key) => !options.includes(key));
  return unknown === undefined ? undefined : `unknown log opt '${unknown}' for json-file log driver`;
}

/** @returns undefined: no limit */
function maxSize(text = "-1"): number | undefined {
  if (text === "-1") return undefined;
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)b?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number ?? 0) * 1000 ** units.indexOf(unit.toLowerCase()));
  if (number === undefined) throw bad(`invalid size: '${text}'`);
  if (bytes <= 0) throw bad("max-size must be a positive number");
  return bytes;
}

function maxFiles(text: string): number {
  if (!/^\d+$/.test(text)) throw bad(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (Number(text) < 1) throw bad("max-file cannot be less than 1");
  return Number(text);
}

function bad(why: string): InvalidParameter {
  return new InvalidParameter(`failed to initialize logging driver: ${why}`);
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
  if (why !== undefined) throw bad(why);
  const { "max-size": size, "max-file": files, compress, ...naming } = log.Config ?? {};
  const most = maxSize(size);
  const attrs = attributes(naming, stored.Config);
  return {
    path: join(directory, `${stored.ID}-json.log`),
    ...(most !== undefined && { maxSize: most }),
    ...(files !== undefined && { maxFiles: maxFiles(files) }),
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

import { resolve } from "node:path";
import type { MountRequest } from "../../engine/index.js";
import { WrongUsage } from "../failure.js";
import { bytes, splitAt } from "./values.js";

type Put = (mount: MountRequest, value: string) => void;

const set = (key: "Type" | "Source" | "Target" | "Consistency"): Put => {
  return (mount, value) => {
    mount[key] = value;
  };
};
const bind = (fields: (value: string) => object): Put => {
  return (mount, value) => {
    mount.BindOptions = { ...mount.BindOptions, ...fields(value) };
  };
};
const volume = (fields: (value: string, mount: MountRequest) => object): Put => {
  return (mount, value) => {
    mount.VolumeOptions = { ...mount.VolumeOptions, ...fields(value, mount) };
  };
};
const tmpfs = (fields: (value: string) => object): Put => {
  return (mount, value) => {
    mount.TmpfsOptions = { ...mount.TmpfsOptions, ...fields(value) };
  };
};
const readOnly: Put = (mount, value) => {
  mount.ReadOnly = truth(value);
};

/** The keys of `--mount`, with docker's other words for them. */
const keys: Readonly<Record<string, Put>> = {
  type: (mount, value) => set("Type")(mount, value.toLowerCase()),
  ...{ source: set("Source"), src: set("Source") },
  ...{ target: set("Target"), destination: set("Target"), dst: set("Target") },
  ...{ readonly: readOnly, ro: readOnly },
  consistency: set("Consistency"),
  "bind-propagation": bind((value) => ({ Propagation: value.toLowerCase() })),
  "bind-recursive": bind(recursion),
  "bind-nonrecursive": bind((value) => ({ NonRecursive: truth(value) })),
  "volume-nocopy": volume((value) => ({ NoCopy: truth(value) })),
  "volume-subpath": volume((value) => ({ Subpath: value })),
  "volume-label": volume((value, { VolumeOptions: old }) => ({ Labels: { ...old?.Labels, ...pair(value) } })),
  "volume-driver": volume((value, { VolumeOptions: old }) => ({ DriverConfig: { ...old?.DriverConfig, Name: value } })),
  "volume-opt": volume((value, { VolumeOptions: old }) => ({
    DriverConfig: { ...old?.DriverConfig, Options: { ...old?.DriverConfig?.Options, ...pair(value) } },
  })),
  "tmpfs-size": tmpfs((value) => ({ SizeBytes: bytes(value, "--mount tmpfs-size") })),
  "tmpfs-mode": tmpfs((value) => ({ Mode: Number.parseInt(value, 8) })),
};

/** `type=bind,source=/here,target=/there,readonly`. @throws WrongUsage */
export function mountRequest(text: string): MountRequest {
  const mount: MountRequest = { Type: "volume" };
  for (const field of text.split(",")) {
    const [key, value] = splitAt(field, "=");
    const put = keys[key.toLowerCase()];
    if (!put) throw new WrongUsage(`--mount ${text}: unexpected key ${JSON.stringify(key)}`);
    put(mount, value);
  }
  if (!mount.Target) throw new WrongUsage(`--mount ${text}: target is required`);
  if (mount.Type === "bind" && mount.Source?.startsWith(".")) mount.Source = resolve(mount.Source);
  return mount;
}

/** What becomes of what is mounted below the source. */
function recursion(value: string): object {
  const known = {
    ...{ enabled: {}, disabled: { NonRecursive: true } },
    ...{ writable: { ReadOnlyNonRecursive: true }, readonly: { ReadOnlyForceRecursive: true } },
  };
  if (Object.hasOwn(known, value)) return known[value as keyof typeof known];
  throw new WrongUsage(`--mount bind-recursive=${value}: want enabled, disabled, writable or readonly`);
}

/** Without a value it is so. */
function truth(value: string): boolean {
  return !["0", "f", "false"].includes(value.toLowerCase());
}

function pair(text: string): Record<string, string> {
  const [key, value] = splitAt(text, "=");
  return { [key]: value };
}

import { goJSON, type ImageConfig, type ImageID } from "../../../spec/index.js";
import { textOf } from "../../root/fact.js";
import type { ContainerConfig } from "../../root/root-state.js";
import type { Known } from "./known.js";
import { tagOf } from "./tags.js";

/**
 * A configuration for a container whose own is gone: what can still be read of that, and else what its image says.
 * dockerd can list, start, commit and remove it.
 *
 * @see docker-data-root 8.2
 */
export function derivedConfig(known: Known, name: string): string {
  const text = textOf(known.state.containers.get(name)?.configFact) ?? "";
  const salvaged = (pattern: RegExp) => pattern.exec(text)?.[1];
  const image = (salvaged(/"Image":"(sha256:[0-9a-f]{64})"/) as ImageID | undefined) ?? imageOf(known, name);
  const config = image && known.state.images.contents.get(image.slice("sha256:".length))?.config;
  const [path = "", ...args] = commandOf(config);
  const called = salvaged(/"Name":"(\/[\w.-]+)"/) ?? `/recovered-${name.slice(0, 12)}`;
  return line({
    ID: name,
    Created: salvaged(/"Created":"([^"]+)"/) ?? config?.created ?? "0001-01-01T00:00:00Z",
    Path: path,
    Args: args,
    Config: { ...config?.config, Image: image ? (tagOf(known, image) ?? image) : "" },
    Image: image ?? "",
    NetworkSettings: {},
    Name: called,
    Driver: known.state.driver,
    OS: "linux",
  });
}

/** The only image with the layers that the container stands on. */
function imageOf({ state, writables }: Known, name: string): ImageID | undefined {
  const parent = writables.get(name)?.parent;
  const fits = [...state.images.contents.values()].filter(({ config, chain }) => config && chain.at(-1) === parent);
  return fits.length === 1 ? fits[0]!.id : undefined;
}

function commandOf(config: ImageConfig | undefined): string[] {
  const { Entrypoint, Cmd } = (config?.config ?? {}) as { Entrypoint?: string[] | null; Cmd?: string[] | null };
  return [...(Entrypoint ?? []), ...(Cmd ?? [])];
}

/** The same with all put in that dockerd fails without. */
export function mendedConfig(known: Known, name: string, config: ContainerConfig): string {
  const image = config.Image as ImageID | undefined;
  const called = config.Config?.Image || (image ? (tagOf(known, image) ?? image) : "");
  return line({
    ...config,
    ID: name,
    Driver: known.state.driver,
    Config: { ...config.Config, Image: called },
    NetworkSettings: config.NetworkSettings ?? {},
  });
}

/** What can be read of it is kept; the network is that which the container was last in, or none. */
export function hostConfigText(text: string | undefined, config: ContainerConfig | undefined): string {
  const networks = (config?.NetworkSettings as { Networks?: object } | undefined)?.Networks ?? {};
  const [network = "none"] = Object.keys(networks);
  return line({ ...objectIn(text), NetworkMode: network === "bridge" ? "default" : network });
}

function objectIn(text: string | undefined): object {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return value !== null && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

function line(value: object): string {
  return `${goJSON(value)}\n`;
}

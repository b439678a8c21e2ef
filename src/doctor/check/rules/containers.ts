import { textOf } from "../../root/fact.js";
import type { ContainerConfig, ContainerState } from "../../root/root-state.js";
import type { Finding, Step } from "../finding.js";
import { derivedConfig, hostConfigText, mendedConfig } from "../known/container-config.js";
import type { Known } from "../known/known.js";
import { finding } from "../rule.js";
import { asideWithName } from "../set-aside.js";
import { foreignThing } from "./foreign-thing.js";
import { isTemporary } from "./temporary.js";

/** Each directory in `containers` is a container's, and its configuration is one that dockerd can work with. */
export function* containers(known: Known): Generator<Finding> {
  for (const [name, container] of known.state.containers) {
    const path = `${known.state.root}/containers/${name}`;
    const { node, config } = container;
    if (isTemporary(name)) continue;
    if (node.kind !== "directory" || !/^[0-9a-f]{64}$/.test(name)) {
      yield foreignThing(path, "it is no container's directory");
    } else if (!config && !known.writables.has(name)) {
      const [what, means] = [
        "it has neither a configuration nor a writable layer",
        "nothing: the container is in no list",
      ];
      yield finding({
        kind: "container-empty",
        severity: "leftover",
        path,
        what,
        means,
        remedy: [{ kind: "set-aside", path }],
      });
    } else if (!config) {
      yield unreadable(known, name, container);
    } else if (config.State?.Dead) {
      yield dead(known, name, path);
    } else if (!isOfAnotherDriver(known, config)) {
      yield* parts(known, name, config);
      yield* hostConfig(known, name, container);
    }
  }
}

/** Each driver sees only its own containers. */
function isOfAnotherDriver({ state }: Known, { Driver }: ContainerConfig): boolean {
  return Driver !== undefined && Driver !== state.driver && (state.others as readonly string[]).includes(Driver);
}

function configFile({ state }: Known, name: string): string {
  return `${state.root}/containers/${name}/config.v2.json`;
}

function unreadable(known: Known, name: string, { problem = "it cannot be read" }: ContainerState): Finding {
  const path = configFile(known, name);
  const means = "dockerd does not load the container: it is in no list; what it has written is there";
  const remedy: Step[] = [{ kind: "write-file", path, text: derivedConfig(known, name), mode: 0o600 }];
  return finding(
    { kind: "container-config-damaged", severity: "damage", path, what: problem, means, remedy },
    { containers: [name] },
  );
}

function dead(known: Known, name: string, path: string): Finding {
  const writable = known.writables.get(name);
  const ids = [writable?.mountID, writable?.initID].filter((id) => id !== undefined && known.state.directories.has(id));
  const entry: Step[] = writable?.entry
    ? [{ kind: "set-aside", path: `${known.state.layerdb.path}/mounts/${name}` }]
    : [];
  const remedy: Step[] = [...ids.flatMap((id) => asideWithName(known, id!)), ...entry, { kind: "set-aside", path }];
  const [what, means] = ["the container was being removed", "it is listed as dead, and cannot be used"];
  return finding({ kind: "container-dead", severity: "leftover", path, what, means, remedy });
}

/** What of a configuration makes dockerd fail when it is not there. @see docker-data-root 8.2 */
function* parts(known: Known, name: string, config: ContainerConfig): Generator<Finding> {
  const path = configFile(known, name);
  const remedy: Step[] = [{ kind: "write-file", path, text: mendedConfig(known, name, config), mode: 0o600 }];
  const wrong = (kind: string, what: string, means: string) =>
    finding({ kind, severity: "damage", path, what, means, remedy }, { containers: [name] });
  if (config.ID !== name) {
    const said = config.ID ? `it is of container ${String(config.ID).slice(0, 64)}` : "it has no ID";
    yield wrong("container-id-wrong", said, "dockerd does not load the container: it is in no list");
  }
  if (config.Driver !== known.state.driver) {
    const said = config.Driver ? `it is of storage driver ${config.Driver}` : "it names no storage driver";
    yield wrong("container-driver-wrong", said, "dockerd passes over the container: it is in no list");
  }
  if (!config.Config) yield wrong("container-section-missing", "it has no Config", "dockerd crashes when it starts");
  else if (config.Image && !config.Config.Image) {
    yield wrong(
      "container-image-unnamed",
      "it has no Config.Image",
      "docker ps fails, for all containers: invalid reference format",
    );
  }
  if (!config.NetworkSettings) {
    yield wrong(
      "container-network-missing",
      "it has no NetworkSettings",
      "dockerd hangs at whatever is asked about the container",
    );
  }
}

function* hostConfig(known: Known, name: string, { hostConfigFact, config }: ContainerState): Generator<Finding> {
  const path = `${known.state.root}/containers/${name}/hostconfig.json`;
  const problem = hostConfigProblem(hostConfigFact && (textOf(hostConfigFact) ?? ""));
  if (problem === undefined) return;
  const text = hostConfigText(textOf(hostConfigFact), config);
  const remedy: Step[] = [{ kind: "write-file", path, text, mode: 0o644 }];
  const isRead = hostConfigFact === undefined || problem === noNetwork;
  const means = isRead
    ? "the container has no limits, mounts or ports any more, and may not start: network is ambiguous"
    : "dockerd does not load the container: it is in no list; limits, mounts and ports it had are lost";
  yield finding(
    { kind: "hostconfig-damaged", severity: "damage", path, what: problem, means, remedy },
    { containers: [name] },
  );
}

const noNetwork = "it has no NetworkMode";

function hostConfigProblem(text: string | undefined): string | undefined {
  if (text === undefined) return "it is missing";
  if (text.trim() === "") return "it is empty or cannot be read";
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== "object") return "it is no JSON object";
    return (value as { NetworkMode?: string }).NetworkMode ? undefined : noNetwork;
  } catch {
    return "it is no JSON";
  }
}

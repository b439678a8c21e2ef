import type { Driver } from "../driver/index.js";
import { imagesOfOthers } from "../migrate/index.js";
import { nowNs, rfc3339 } from "../spec/index.js";
import type { Info } from "./api-system.js";
import type { ContainerParts } from "./container/container-parts.js";
import { statusOf } from "./container/state-text.js";
import { machineInfo } from "./machine.js";
import { productVersion } from "./product.js";
import { registryInfo } from "./registry-settings.js";
import type { Settings } from "./settings.js";

const logDrivers = ["json-file"];

export interface InfoParts extends Pick<ContainerParts, "store" | "images" | "events" | "defaults"> {
  readonly id: string;
  readonly root: string;
  readonly settings: { readonly current: Settings };
  readonly driver: Pick<Driver, "name" | "status" | "warnings">;
}

/** What `docker info` shows: counts, storage driver, and what this machine is. */
export function infoOf({ store, images, events, id, root, driver, settings, defaults }: InfoParts): Info {
  const { labels, runtimes, defaultRuntime } = settings.current;
  const states = store.list().map(({ stored }) => statusOf(stored.State));
  const warnings = [...(driver.warnings ?? []), ...imagesOfOthers(root, driver.name)];
  const count = (...wanted: string[]) => states.filter((state) => wanted.includes(state)).length;
  return {
    ID: id,
    Containers: states.length,
    ContainersRunning: count("running", "restarting"),
    ContainersPaused: count("paused"),
    ContainersStopped: states.length - count("running", "restarting", "paused"),
    Images: images.count(),
    Driver: driver.name,
    DriverStatus: [...driver.status],
    Plugins: { Volume: ["local"], Network: ["bridge", "host", "null"], Authorization: null, Log: logDrivers },
    ...machineInfo(),
    Debug: false,
    NFd: -1,
    NGoroutines: -1,
    SystemTime: rfc3339(nowNs()),
    LoggingDriver: defaults.log?.driver ?? "json-file",
    CgroupDriver: "cgroupfs",
    NEventsListener: events.readers,
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: registryInfo(settings.current),
    GenericResources: null,
    DockerRootDir: root,
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Labels: [...labels],
    ExperimentalBuild: false,
    ServerVersion: productVersion,
    Runtimes: { runc: { path: "runc" }, ...runtimes },
    DefaultRuntime: defaultRuntime,
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "",
    ContainerdCommit: { ID: "", Expected: "" },
    RuncCommit: { ID: "", Expected: "" },
    InitCommit: { ID: "", Expected: "" },
    Warnings: warnings.length > 0 ? warnings : null,
  };
}

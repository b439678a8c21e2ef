import {
  anything,
  atLeast,
  bytes,
  duration,
  flag,
  type Kind,
  list,
  map,
  off,
  text,
  type ValueOf,
  whole,
  word,
} from "./kinds.js";
import { runtime } from "./runtime.js";
import { ulimit } from "./ulimit.js";

/** Words for `log-level`, from the least to the most important. */
export const logLevels = ["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"] as const;

/** Keys of `daemon.json` that say something here; all but `log-level` as dockerd means them. */
export const used = {
  "data-root": text,
  /** What `data-root` was once called. */
  graph: text,
  "storage-driver": text,
  "storage-opts": list(text),
  hosts: list(text),
  debug: flag,
  "log-level": word(...logLevels),
  /** What containers write. */
  "log-driver": word("json-file", "none"),
  "log-opts": map(text),
  "exec-root": text,
  labels: list(text),
  "insecure-registries": list(text),
  "registry-mirrors": list(text),
  "max-concurrent-downloads": atLeast(0),
  "max-concurrent-uploads": atLeast(0),
  "max-download-attempts": atLeast(1),
  "default-runtime": text,
  runtimes: map(runtime),
  bridge: text,
  bip: text,
  mtu: atLeast(0),
  iptables: flag,
  "ip-masq": flag,
  ip: text,
  "cgroup-parent": text,
  "default-cgroupns-mode": word("private", "host"),
  "default-ipc-mode": word("private", "shareable"),
  "default-shm-size": bytes,
  "default-ulimits": map(ulimit),
  init: flag,
  "init-path": text,
  "no-new-privileges": flag,
  "seccomp-profile": text,
  "userns-remap": off(
    text,
    "files would get the wrong owners; leave it out, and take a data root that is not remapped",
  ),
  "authorization-plugins": off(list(text), "nobody would be asked; restrict who may open the socket instead"),
} as const;

/** Keys of our own, which dockerd does not know: it refuses a file that has them. */
export const own = {
  "gc-keep-storage": bytes,
  "gc-disk-percent": atLeast(1),
  "gc-min-age": duration,
  "gc-interval": duration,
} as const;

type Meant = typeof used & typeof own;

/** What a `daemon.json` says of all that has a meaning here. */
export type ConfigFile = { readonly [K in keyof Meant]?: ValueOf<Meant[K]> };

/** Keys of dockerd 20.10 that are for what does not exist here: networks beside the bridge, TLS, swarm, and some more. */
export const idle: Readonly<Record<string, Kind<unknown>>> = {
  "allow-nondistributable-artifacts": list(text),
  "api-cors-header": text,
  builder: map(anything),
  "cluster-advertise": text,
  "cluster-store": text,
  "cluster-store-opts": map(text),
  containerd: text,
  "containerd-namespace": text,
  "containerd-plugins-namespace": text,
  "cpu-rt-period": whole,
  "cpu-rt-runtime": whole,
  "cri-containerd": flag,
  "default-address-pools": list(map(anything)),
  "default-gateway": text,
  "default-gateway-v6": text,
  "deprecated-key-path": text,
  dns: list(text),
  "dns-opts": list(text),
  "dns-search": list(text),
  "exec-opts": list(text),
  experimental: flag,
  features: map(flag),
  "fixed-cidr": text,
  "fixed-cidr-v6": text,
  group: text,
  "host-gateway-ip": text,
  icc: flag,
  "ip-forward": flag,
  ip6tables: flag,
  ipv6: flag,
  "live-restore": flag,
  "metrics-addr": text,
  "network-control-plane-mtu": whole,
  "network-diagnostic-port": whole,
  "node-generic-resources": list(text),
  "oom-score-adjust": whole,
  pidfile: text,
  "raw-logs": flag,
  rootless: flag,
  "selinux-enabled": flag,
  "shutdown-timeout": whole,
  "swarm-default-advertise-addr": text,
  tls: flag,
  tlscacert: text,
  tlscert: text,
  tlskey: text,
  tlsverify: flag,
  "userland-proxy": flag,
  "userland-proxy-path": text,
};

/** Such keys that 20.10 does not take, up to 28. */
export const newer: Readonly<Record<string, Kind<unknown>>> = {
  "allow-direct-routing": flag,
  bip6: text,
  "bridge-accept-fwmark": text,
  "cdi-spec-dirs": list(text),
  "default-network-opts": map(anything),
  "firewall-backend": text,
  "host-gateway-ips": list(text),
  "http-proxy": text,
  "https-proxy": text,
  "ip-forward-no-drop": flag,
  "log-format": text,
  "min-api-version": text,
  "no-proxy": text,
  proxies: map(text),
  "swarm-raft-election-tick": whole,
  "swarm-raft-heartbeat-tick": whole,
};

import { anything, atLeast, flag, type Kind, list, map, off, text, type ValueOf, whole, word } from "./kinds.js";

/** Keys of `daemon.json` that say something here; all but `log-level` as dockerd means them. */
export const used = {
  "data-root": text,
  /** What `data-root` was once called. */
  graph: text,
  "storage-driver": text,
  "storage-opts": list(text),
  hosts: list(text),
  debug: flag,
  "log-level": word("trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"),
  labels: list(text),
  "insecure-registries": list(text),
  "registry-mirrors": list(text),
  "max-concurrent-downloads": atLeast(0),
  "max-concurrent-uploads": atLeast(0),
  "max-download-attempts": atLeast(1),
  "default-runtime": text,
  runtimes: map(runtime),
  "userns-remap": off(
    text,
    "files would get the wrong owners; leave it out, and take a data root that is not remapped",
  ),
  "authorization-plugins": off(list(text), "nobody would be asked; restrict who may open the socket instead"),
} as const;

/** What a `daemon.json` says of all that has a meaning here. */
export type ConfigFile = { readonly [K in keyof typeof used]?: ValueOf<(typeof used)[K]> };

/** Keys of dockerd 20.10 that are for what does not exist here: containers' networks, TLS, swarm, defaults of `run`. */
export const idle: Readonly<Record<string, Kind<unknown>>> = {
  "allow-nondistributable-artifacts": list(text),
  "api-cors-header": text,
  bip: text,
  bridge: text,
  builder: map(anything),
  "cgroup-parent": text,
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
  "default-cgroupns-mode": text,
  "default-gateway": text,
  "default-gateway-v6": text,
  "default-ipc-mode": text,
  "default-shm-size": text,
  "default-ulimits": map(map(anything)),
  "deprecated-key-path": text,
  dns: list(text),
  "dns-opts": list(text),
  "dns-search": list(text),
  "exec-opts": list(text),
  "exec-root": text,
  experimental: flag,
  features: map(flag),
  "fixed-cidr": text,
  "fixed-cidr-v6": text,
  group: text,
  "host-gateway-ip": text,
  icc: flag,
  init: flag,
  "init-path": text,
  ip: text,
  "ip-forward": flag,
  "ip-masq": flag,
  ip6tables: flag,
  iptables: flag,
  ipv6: flag,
  "live-restore": flag,
  "log-driver": text,
  "log-opts": map(text),
  "metrics-addr": text,
  mtu: whole,
  "network-control-plane-mtu": whole,
  "network-diagnostic-port": whole,
  "no-new-privileges": flag,
  "node-generic-resources": list(text),
  "oom-score-adjust": whole,
  pidfile: text,
  "raw-logs": flag,
  rootless: flag,
  "seccomp-profile": text,
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

export interface Runtime {
  /** A program on PATH, or its absolute path. */
  readonly path: string;
  readonly runtimeArgs?: readonly string[];
}

function runtime(...[node, name]: Parameters<Kind<Runtime>>): Runtime {
  const fields = node.kind === "object" ? new Map(node.fields.map(({ key, value }) => [key, value])) : new Map();
  map(anything)(node, name);
  const [path, args] = [fields.get("path"), fields.get("runtimeArgs")];
  return {
    path: path ? text(path, `${name}.path`) : "",
    ...(args && { runtimeArgs: list(text)(args, `${name}.runtimeArgs`) }),
  };
}

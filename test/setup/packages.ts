/** What tests use beside Node: a program that shows it is there, and the Debian package that brings it. */
export const packages: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "runc",
  "docker-registry": "docker-registry",
  openssl: "openssl",
  skopeo: "skopeo",
  umoci: "umoci",
  "mkfs.xfs": "xfsprogs",
  "mkfs.ext4": "e2fsprogs",
  zstd: "zstd",
  bzip2: "bzip2",
  xz: "xz-utils",
  bsdtar: "libarchive-tools",
  setfattr: "attr",
  setcap: "libcap2-bin",
  strace: "strace",
  "/usr/lib/cni/bridge": "containernetworking-plugins",
  "/usr/lib/podman/netavark": "netavark",
  iptables: "iptables",
};

/** What only `npm run bench` uses. */
export const benchPackages: Readonly<Record<string, string>> = { mmdebstrap: "mmdebstrap", podman: "podman" };

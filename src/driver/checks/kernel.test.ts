import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { scratch } from "../../../test/oracle/scratch.js";
import { defaultsCheck, overlayCheck } from "./kernel-overlay.js";
import { isAtLeast, kernelCheck, parseKernel } from "./kernel-version.js";
import { parseOsRelease } from "./os-release.js";
import { userNamespaceCheck } from "./user-namespace.js";

/** `/etc/os-release` of machines, as far as it says who they are. */
const systems = {
  debian: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
  ubuntu: 'PRETTY_NAME="Ubuntu 22.04.4 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n',
  centos7:
    'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\nPRETTY_NAME="CentOS Linux 7 (Core)"\nANSI_COLOR="0;31"\n\nCENTOS_MANTISBT_PROJECT="CentOS-7"\n',
  rhel7:
    'NAME="Red Hat Enterprise Linux Server"\nVERSION="7.9 (Maipo)"\nID="rhel"\nID_LIKE="fedora"\nVARIANT="Server"\nVERSION_ID="7.9"\nPRETTY_NAME="Red Hat Enterprise Linux"\n',
  rocky9:
    'NAME="Rocky Linux"\nVERSION="9.4 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n',
  scientific7:
    'NAME="Scientific Linux"\nVERSION="7.9 (Nitrogen)"\nID="scientific"\nID_LIKE="rhel centos fedora"\nVERSION_ID="7.9"\n',
  oracle7:
    'NAME="Oracle Linux Server"\nVERSION="7.9"\nID="ol"\nID_LIKE="fedora"\nVERSION_ID="7.9"\nPRETTY_NAME="Oracle Linux Server 7.9"\n',
  amazon2:
    'NAME="Amazon Linux"\nVERSION="2"\nID="amzn"\nID_LIKE="centos rhel fedora"\nVERSION_ID="2"\nPRETTY_NAME="Amazon Linux 2"\n',
  fedora:
    'NAME="Fedora Linux"\nVERSION="41 (Server Edition)"\nID=fedora\nVERSION_ID=41\nPRETTY_NAME="Fedora Linux 41 (Server Edition)"\n',
  alpine: 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n',
  arch: 'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n',
  leap: 'NAME="openSUSE Leap"\nVERSION="15.5"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.5"\n',
  nixos: "NAME=NixOS\nID=nixos\nPRETTY_NAME='NixOS 24.05 (Uakari)'\n",
  none: "",
} as const;

/** `uname -r` of real machines, whether Docker would run overlay2 and overlay there, and their numbers. */
const kernels = [
  ["6.18.44-fc-v669", "debian", "ok", "ok", [6, 18, 44, 0]],
  ["6.1.0-18-amd64", "debian", "ok", "ok", [6, 1, 0, 18]],
  ["6.1.0-18-cloud-amd64", "debian", "ok", "ok", [6, 1, 0, 18]],
  ["3.16.0-6-amd64", "debian", "failed", "failed", [3, 16, 0, 6]],
  ["3.2.0-4-amd64", "debian", "failed", "failed", [3, 2, 0, 4]],
  ["5.15.0-105-generic", "ubuntu", "ok", "ok", [5, 15, 0, 105]],
  ["5.15.0-1064-azure", "ubuntu", "ok", "ok", [5, 15, 0, 1064]],
  ["6.5.0-1018-oem", "ubuntu", "ok", "ok", [6, 5, 0, 1018]],
  ["3.13.0-170-generic", "ubuntu", "failed", "failed", [3, 13, 0, 170]],
  ["3.19.0-80-generic", "ubuntu", "failed", "ok", [3, 19, 0, 80]],
  ["4.0.0-040000-generic", "ubuntu", "ok", "ok", [4, 0, 0, 40000]],
  ["3.10.0-1160.119.1.el7.x86_64", "centos7", "ok", "ok", [3, 10, 0, 1160]],
  ["3.10.0-514.el7.x86_64", "centos7", "ok", "ok", [3, 10, 0, 514]],
  ["3.10.0-327.36.3.el7.x86_64", "centos7", "failed", "failed", [3, 10, 0, 327]],
  ["3.10.0-1160.el7.x86_64", "rhel7", "ok", "ok", [3, 10, 0, 1160]],
  ["3.10.0-1160.el7.x86_64", "scientific7", "ok", "ok", [3, 10, 0, 1160]],
  // A container sees the kernel of its host, and an os-release of its own.
  ["3.10.0-957.21.3.el7.x86_64", "debian", "ok", "ok", [3, 10, 0, 957]],
  ["3.10.0-957.21.3.el7.x86_64", "none", "ok", "ok", [3, 10, 0, 957]],
  ["3.10.0-1160.99.1.0.1.el7.x86_64", "oracle7", "ok", "ok", [3, 10, 0, 1160]],
  ["4.14.35-2047.540.4.1.el7uek.x86_64", "oracle7", "ok", "ok", [4, 14, 35, 2047]],
  ["3.10.0-1160", "debian", "failed", "failed", [3, 10, 0, 1160]],
  ["2.6.32-754.35.1.el6.x86_64", "none", "failed", "failed", [2, 6, 32, 754]],
  ["4.18.0-553.el8_10.x86_64", "rocky9", "ok", "ok", [4, 18, 0, 553]],
  ["5.14.0-427.13.1.el9_4.x86_64", "rocky9", "ok", "ok", [5, 14, 0, 427]],
  ["4.14.336-257.562.amzn2.x86_64", "amazon2", "ok", "ok", [4, 14, 336, 257]],
  ["6.11.4-301.fc41.x86_64", "fedora", "ok", "ok", [6, 11, 4, 301]],
  ["6.6.58-0-lts", "alpine", "ok", "ok", [6, 6, 58, 0]],
  ["6.11.6-arch1-1", "arch", "ok", "ok", [6, 11, 6, 0]],
  ["5.14.21-150500.55.52-default", "leap", "ok", "ok", [5, 14, 21, 150500]],
  ["6.6.60", "nixos", "ok", "ok", [6, 6, 60, 0]],
  ["5.15.153.1-microsoft-standard-WSL2", "ubuntu", "ok", "ok", [5, 15, 153, 0]],
  ["6.10.4-linuxkit", "alpine", "ok", "ok", [6, 10, 4, 0]],
  ["6.8.12-4-pve", "debian", "ok", "ok", [6, 8, 12, 4]],
  ["6.1.21-v8+", "debian", "ok", "ok", [6, 1, 21, 0]],
  ["4.4.302+", "none", "ok", "ok", [4, 4, 302, 0]],
  ["6.12.0-rc3", "arch", "ok", "ok", [6, 12, 0, 0]],
  ["6.12-rc3", "arch", "ok", "ok", [6, 12, 0, 0]],
  ["3.18.140-g5aa9ab0c", "none", "failed", "ok", [3, 18, 140, 0]],
] as const;

describe("kernel versions", () => {
  test.for(kernels)("%s on %s: overlay2 %s, overlay %s", ([release, name, overlay2, overlay, version]) => {
    const machine = { release, os: parseOsRelease(systems[name]) };
    expect(parseKernel(release)).toEqual(version);
    expect(kernelCheck("overlay2", machine)).toMatchObject({ found: release, outcome: overlay2 });
    expect(kernelCheck("overlay", machine)).toMatchObject({ found: release, outcome: overlay });
  });

  test("one that is too old says what is needed, and can be tried all the same", () => {
    const machine = { release: "3.13.0-170-generic", os: parseOsRelease(systems.ubuntu) };
    expect(kernelCheck("overlay2", machine)).toEqual({
      name: "kernel version for overlay2",
      found: "3.13.0-170-generic",
      needed: "4.0 or newer, or 3.10.0-514 or newer on RHEL and CentOS",
      outcome: "failed",
      remedy: "boot a newer kernel, or try with --storage-opt overlay2.override_kernel_check=true",
    });
    expect(kernelCheck("overlay2", machine, true).outcome).toBe("warning");
    expect(kernelCheck("overlay", machine)).toMatchObject({ outcome: "failed", remedy: "boot a newer kernel" });
  });

  test("one that cannot be read is left to the mount", () => {
    for (const release of ["", "weird", "v6.1"]) {
      expect(parseKernel(release)).toBeUndefined();
      expect(kernelCheck("overlay2", { release, os: new Map() }).outcome).toBe("warning");
    }
  });

  test("are compared number by number", () => {
    const least = (release: string, ...numbers: number[]) => isAtLeast(parseKernel(release)!, numbers);
    expect([least("5.11.0", 5, 11), least("5.9.99", 5, 11), least("6.0.0", 5, 11), least("4.20.5", 5, 1)]).toEqual([
      ...[true, false, true, false],
    ]);
  });
});

test("os-release is read as the shell reads it", () => {
  const text =
    '# comment\nNAME="A \\"B\\" \\$C"\nID=plain\r\nEMPTY=\nPRETTY_NAME=\'single "q"\'\nnot a line\nHOME_URL="https://x.example/?a=b"';
  expect(Object.fromEntries(parseOsRelease(text))).toEqual({
    ...{ NAME: 'A "B" $C', ID: "plain", EMPTY: "", PRETTY_NAME: 'single "q"', HOME_URL: "https://x.example/?a=b" },
  });
});

test("a user namespace needs a kernel that knows userxattr", () => {
  expect(userNamespaceCheck("4.18.0", false)).toMatchObject({ outcome: "ok", found: "none" });
  expect(userNamespaceCheck("5.11.0-49-generic", true).outcome).toBe("ok");
  expect(userNamespaceCheck("5.10.0-28-amd64", true)).toMatchObject({
    outcome: "warning",
    found: "in one, on Linux 5.10.0-28-amd64",
  });
});

test("what the kernel has of overlayfs is read from where it tells", async () => {
  await using place = await scratch();
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(place.path, name)), { recursive: true });
    writeFileSync(join(place.path, name), content);
  };
  const places = { proc: place.path, sys: place.path, modules: place.path };
  const overlay = () => overlayCheck("6.1.0", places);
  write("filesystems", "nodev\tproc\n\text4\nnodev\toverlayroot\n");
  expect(overlay()).toMatchObject({
    found: "neither file system nor module",
    outcome: "warning",
    remedy: expect.stringContaining("modprobe"),
  });
  write("6.1.0/modules.dep", "kernel/fs/overlayfs/overlay.ko.zst:\n");
  expect(overlay()).toMatchObject({ found: "a module, not loaded yet", remedy: "modprobe overlay, at each boot" });
  write("filesystems", "nodev\tproc\nnodev\toverlay\n");
  expect(overlay()).toMatchObject({ found: "it is there", outcome: "ok" });

  expect(defaultsCheck(places)).toMatchObject({ found: "none shown", outcome: "ok" });
  for (const name of ["index", "metacopy", "redirect_dir"]) write(`module/overlay/parameters/${name}`, "N\n");
  expect(defaultsCheck(places)).toMatchObject({ found: "index=N metacopy=N redirect_dir=N", outcome: "ok" });
  write("module/overlay/parameters/index", "Y\n");
  expect(defaultsCheck(places).outcome).toBe("ok");
  write("module/overlay/parameters/metacopy", "Y\n");
  expect(defaultsCheck(places)).toMatchObject({
    outcome: "warning",
    found: "index=Y metacopy=Y redirect_dir=N",
    remedy: expect.stringContaining('"options overlay metacopy=off" in /etc/modprobe.d/overlay.conf'),
  });
});

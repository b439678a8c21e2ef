import type { OCIMount } from "./oci.js";

/** What every container has mounted, in the order of mounting; /dev/shm comes beside. */
export const defaultMounts: readonly OCIMount[] = [
  mount("/proc", "proc", "proc", "nosuid noexec nodev"),
  mount("/dev", "tmpfs", "tmpfs", "nosuid strictatime mode=755 size=65536k"),
  mount("/dev/pts", "devpts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5"),
  mount("/sys", "sysfs", "sysfs", "nosuid noexec nodev ro"),
  mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro nosuid noexec nodev"),
  mount("/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev"),
];

/** Shared memory of a container's own. @param size in bytes */
export function shmMount(size: string): OCIMount {
  return mount("/dev/shm", "tmpfs", "shm", `nosuid noexec nodev mode=1777 size=${size}`);
}

/** What stays writable in a container whose root is not. */
export const alwaysWritable: readonly string[] = ["/proc", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"];

function mount(destination: string, type: string, source: string, options: string): OCIMount {
  return { destination, type, source, options: options.split(" ") };
}

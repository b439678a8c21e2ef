const proc = (names: string) => names.split(" ").map((name) => `/proc/${name}`);

/** What of the kernel a container does not see, unless it is privileged. */
export const defaultMaskedPaths: readonly string[] = [
  ...proc("asound acpi kcore keys latency_stats timer_list timer_stats sched_debug scsi"),
  "/sys/firmware",
];

/** What of the kernel it may read but not change, unless it is privileged. */
export const defaultReadonlyPaths: readonly string[] = proc("bus fs irq sys sysrq-trigger");

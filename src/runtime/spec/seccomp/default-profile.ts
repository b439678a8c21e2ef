import type { Profile, Rule } from "./profile.js";

/** Calls that every container may make, whatever their arguments. */
const always = words(`
  accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32 clock_adjtime
  clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
  clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
  epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
  exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2
  fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
  fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
  futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid
  getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid
  getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname
  getsockopt gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl
  ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32
  lgetxattr link linkat listen listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64
  madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2
  mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
  mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap
  name_to_handle_at nanosleep newfstatat _newselect open openat openat2 pause pidfd_open pidfd_send_signal pipe
  pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64
  process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
  recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat
  renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
  rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max
  sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
  sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
  seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto
  set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32
  setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
  setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl
  shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat
  stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create
  timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create
  timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit
  umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid
  waitpid write writev`);

/** Calls that go with a capability: without it the kernel would refuse them too, in part after much that could be attacked. */
const withCapability: Readonly<Record<string, string>> = {
  CAP_DAC_READ_SEARCH: "open_by_handle_at",
  CAP_SYS_ADMIN: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr
    move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2
    unshare`,
  CAP_SYS_BOOT: "reboot",
  CAP_SYS_CHROOT: "chroot",
  CAP_SYS_MODULE: "delete_module init_module finit_module",
  CAP_SYS_PACCT: "acct",
  CAP_SYS_PTRACE: "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
  CAP_SYS_RAWIO: "iopl ioperm",
  CAP_SYS_TIME: "settimeofday stime clock_settime clock_settime64",
  CAP_SYS_TTY_CONFIG: "vhangup",
  CAP_SYS_NICE: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
  CAP_SYSLOG: "syslog",
  CAP_BPF: "bpf",
  CAP_PERFMON: "perf_event_open",
};

/** Calls that some machines alone have. */
const onMachines: readonly (readonly [machines: string, calls: string])[] = [
  ["ppc64le", "sync_file_range2 swapcontext"],
  ["arm arm64", "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"],
  ["amd64 x32", "arch_prctl"],
  ["amd64 x32 x86", "modify_ldt"],
  ["s390 s390x", "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr"],
  ["riscv64", "riscv_flush_icache"],
];

/** Plain Linux, with 64 bits counted short (UNAME26) or without randomised addresses, and asking which it is. */
const personalities = [0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** AF_VSOCK: sockets to the host of a virtual machine, which no namespace confines. */
const vsock = 40;

/** The flags of clone(2) that make namespaces: all of CLONE_NEW* but that of time. */
const newNamespaces = 0x7e020000;

const onS390 = words("s390 s390x");

/**
 * What a container may ask of the kernel that asks for nothing else: Docker's documented default profile. Everything
 * not named fails with EPERM. As in releases since 25, and unlike 20.10, io_uring and sockets to the host of a virtual
 * machine are refused; and calls younger than 20.10 are allowed where they are new forms of old ones.
 *
 * @see https://docs.docker.com/engine/security/seccomp/
 */
export const defaultProfile: Profile = {
  defaultAction: "SCMP_ACT_ERRNO",
  archMap: [
    machine("X86_64", "X86 X32"),
    machine("AARCH64", "ARM"),
    machine("S390X", "S390"),
    machine("PPC64LE", ""),
    machine("RISCV64", ""),
  ],
  syscalls: [
    allow(always),
    // Before Linux 4.8 a tracer could get round the filter.
    { ...allow(words("process_vm_readv process_vm_writev ptrace")), includes: { minKernel: "4.8" } },
    { ...allow(["socket"]), args: [{ index: 0, value: vsock, op: "SCMP_CMP_NE" }] },
    ...personalities.map(
      (value): Rule => ({ ...allow(["personality"]), args: [{ index: 0, value, op: "SCMP_CMP_EQ" }] }),
    ),
    ...onMachines.map(([arches, calls]): Rule => ({ ...allow(words(calls)), includes: { arches: words(arches) } })),
    ...Object.entries(withCapability).map(
      ([capability, calls]): Rule => ({ ...allow(words(calls)), includes: { caps: [capability] } }),
    ),
    { ...cloneWithoutNamespaces(0), excludes: { caps: ["CAP_SYS_ADMIN"], arches: onS390 } },
    // There the flags are the second argument.
    { ...cloneWithoutNamespaces(1), includes: { arches: onS390 }, excludes: { caps: ["CAP_SYS_ADMIN"] } },
    // Its flags are in memory, where a filter cannot look: "no such call" makes libraries take clone instead.
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38, excludes: { caps: ["CAP_SYS_ADMIN"] } },
  ],
};

function allow(names: readonly string[]): Rule {
  return { names, action: "SCMP_ACT_ALLOW" };
}

/** @param index which argument has the flags */
function cloneWithoutNamespaces(index: number): Rule {
  return { ...allow(["clone"]), args: [{ index, value: newNamespaces, op: "SCMP_CMP_MASKED_EQ" }] };
}

function machine(name: string, others: string) {
  return { architecture: `SCMP_ARCH_${name}`, subArchitectures: words(others).map((each) => `SCMP_ARCH_${each}`) };
}

function words(text: string): string[] {
  return text.trim().split(/\s+/).filter(Boolean);
}

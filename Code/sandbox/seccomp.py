"""A seccomp filter: system calls that no graded program needs and that lead out of a jail or hold the machine up.

Denied calls fail with EPERM; calls newer than this list, and clone3, whose flags a filter cannot see, with ENOSYS, upon
which C libraries take the older one. The filter is classic BPF over struct seccomp_data (linux/seccomp.h).
"""

import platform
import struct

from sandbox.contract import SandboxError

# (x86_64, aarch64) numbers from linux/arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h;
# None where an architecture has no such call; from 424 on they are the same
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chmod": (90, None),
    "chown": (92, None),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "fcntl": (72, 25),
    "finit_module": (313, 273),
    "fork": (57, None),
    "fremovexattr": (199, 16),
    "fsconfig": (431, 431),
    "fsetxattr": (190, 7),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "futimesat": (261, None),
    "init_module": (175, 105),
    "inotify_add_watch": (254, 27),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "io_cancel": (210, 3),
    "io_destroy": (207, 1),
    "io_getevents": (208, 4),
    "io_pgetevents": (333, 292),
    "io_setup": (206, 0),
    "io_submit": (209, 2),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioperm": (173, None),
    "iopl": (172, None),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "lchown": (94, None),
    "lookup_dcookie": (212, 18),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "mbind": (237, 235),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_getsetattr": (245, 185),
    "mq_notify": (244, 184),
    "mq_open": (240, 180),
    "mq_timedreceive": (243, 183),
    "mq_timedsend": (242, 182),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "removexattr": (197, 14),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "seccomp": (317, 277),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    "setns": (308, 268),
    "setpriority": (141, 140),
    "setrlimit": (160, 164),
    "settimeofday": (164, 170),
    "setxattr": (188, 5),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "sync": (162, 81),
    "syncfs": (306, 267),
    "sysfs": (139, None),
    "syslog": (103, 116),
    "timer_create": (222, 107),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "truncate": (76, 45),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "ustat": (136, None),
    "utime": (132, None),
    "utimensat": (280, 88),
    "utimes": (235, None),
    "vfork": (58, None),
    "vhangup": (153, 58),
}
_NEWEST = 462  # calls above this number are not looked through
# only some uses of these are denied
_PARTLY = {
    "clone",
    "exit",
    "exit_group",
    "clone3",
    "fcntl",
    "ioctl",
    "personality",
    "prctl",
    "prlimit64",
    "setrlimit",
    "socketpair",
}
_FORKS = {"fork", "vfork"}
# what a user namespace, a mount namespace and a pid namespace make harmless; without them they reach the user's own
# files and processes
_SHARED = {
    "chmod",
    "chown",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "fchown",
    "fchownat",
    "fremovexattr",
    "fsetxattr",
    "futimesat",
    "kill",
    "lchown",
    "lremovexattr",
    "lsetxattr",
    "removexattr",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "setxattr",
    "tgkill",
    "timer_create",
    "tkill",
    "truncate",
    "utime",
    "utimensat",
    "utimes",
}
_CLONE_NAMESPACES = 0x7E020000 | 0x80  # CLONE_NEW*
_CLONE_THREAD = 0x10000
_FCNTL = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: signals to whomever
# of a terminal: its mode, size, process group; bytes to read; non-blocking; close on exec. The others change devices and
# even files that are open for reading only
_IOCTL = (0x5401, 0x5413, 0x540F, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A)
_PRCTL = (1, 22, 35, 36, 59)  # PR_SET_PDEATHSIG, _SECCOMP, _MM, _CHILD_SUBREAPER, _SYSCALL_USER_DISPATCH
_AF_UNIX = 1
_RLIMIT_CPU = 0
_KILLED = 128 + 9  # how bwrap tells that a program was killed; one that ended with it could claim to have been

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_AND = 0x54
_LOAD, _EQUAL, _GREATER_EQUAL, _SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH, _ARGS = 0, 4, 16
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


def _op(code: int, value: int, jump_true: int = 0, jump_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, jump_true, jump_false, value)


def seccomp_filter(*, processes: int, shared: bool) -> bytes:
    """The program, 8 bytes an instruction, as bwrap --seccomp and prctl take it.

    processes: 1 denies fork. shared: the jail shares user, process and mount namespaces with everybody.
    """
    if platform.machine() not in _MACHINES:
        raise SandboxError(f"no seccomp filter for {platform.machine()}; expected {' or '.join(_MACHINES)}")
    audit, column = _MACHINES[platform.machine()]
    number = {name: numbers[column] for name, numbers in _NUMBERS.items()}
    deny, allow = _op(_RETURN, _ERRNO | _EPERM), _op(_RETURN, _ALLOW)
    absent = _op(_RETURN, _ERRNO | _ENOSYS)
    parts = [
        _op(_LOAD, _ARCH),
        _op(_EQUAL, audit, 1),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NR),
        _op(_GREATER_EQUAL, _NEWEST + 1, 0, 1),
        absent,  # x32's calls are up there too
    ]
    for name in sorted(number.keys() - _PARTLY):
        if number[name] is not None and (shared or name not in _SHARED) and (processes == 1 or name not in _FORKS):
            parts += [_op(_EQUAL, number[name] or 0, 0, 1), deny]
    parts += [_op(_EQUAL, number["clone3"] or 0, 0, 1), absent]

    def where(name: str, *body: bytes) -> list[bytes]:
        return [_op(_EQUAL, number[name] or 0, 0, len(body)), *body]

    def argument(index: int, *, high: bool = False) -> bytes:
        """Half of an argument: both machines are little-endian."""
        return _op(_LOAD, _ARGS + 8 * index + 4 * high)

    def only(values: tuple[int, ...]) -> list[bytes]:
        return [*(part for value in values for part in (_op(_EQUAL, value, 0, 1), allow)), deny]

    def one_of(values: tuple[int, ...]) -> list[bytes]:
        return [part for value in values for part in (_op(_EQUAL, value, 0, 1), deny)]

    threads = [_op(_SET, _CLONE_THREAD, 1, 0), deny] if processes == 1 else []
    parts += where("clone", argument(0), _op(_SET, _CLONE_NAMESPACES, 0, 1), deny, *threads, allow)
    if processes == 1:
        for name in ("exit", "exit_group"):
            parts += where(name, argument(0), _op(_AND, 0xFF), *one_of((_KILLED,)), allow)
    parts += where("fcntl", argument(1), *one_of(_FCNTL), allow)
    parts += where("ioctl", argument(1), *only(_IOCTL))
    parts += where("prctl", argument(0), *one_of(_PRCTL), allow)
    # of another process; or of its own processor time, whose end is SIGKILL, which only others may send
    change = [argument(2), _op(_EQUAL, 0, 1, 0), deny, argument(2, high=True), _op(_EQUAL, 0, 1, 0), deny, allow]
    cpu = [argument(1), _op(_EQUAL, _RLIMIT_CPU, 1, 0), allow, *change]
    parts += where("prlimit64", argument(0), _op(_EQUAL, 0, 1, 0), deny, *cpu)
    parts += where("setrlimit", argument(0), *one_of((_RLIMIT_CPU,)), allow)
    parts += where("personality", argument(0), _op(_EQUAL, 0xFFFFFFFF, 1, 0), deny, allow)
    parts += where("socketpair", argument(0), _op(_EQUAL, _AF_UNIX, 1, 0), deny, allow)
    return b"".join([*parts, allow])

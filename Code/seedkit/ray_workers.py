"""Stages in actors of a Ray cluster: one for each device, or group of GPUs, on whichever node has room for it.

A device of a cluster is named as one of this machine, with the cluster behind an @: `cuda:3@10.0.0.5:6379`, `cpu:0@local:2`.
Its number counts the cluster's devices and says nothing about the node. A cluster is the address of one, `auto` for the one
that this machine belongs to, or `local:N` for a private one of N nodes on this machine, which ends with the script.

Chunks are cut before they come here, so results do not depend on who computes them. An actor whose process or node dies is
replaced, and its chunks are given again. The script runs on a node of the cluster; if it is killed, Ray ends its actors.
"""

import atexit
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from seedkit.cli import say
from seedkit.errors import InputError, RunError, UsageError

AHEAD = 2  # chunks that an actor has at once, so that none waits for the next one
TRIES = 3  # times that an actor may die over the same chunk
START_S = 120  # seconds in which at least one actor has to start
JOIN_S = 10  # seconds in which a cluster has to take this script
BEAT_S = 10  # seconds after which it is said what is waited for
STORE_BYTES = 256 * 2**20  # of each node's object store in a private cluster; what does not fit goes to the disk
# packages that decide about the last bits of a result; builds of the same version for other processors are taken as equal
DECISIVE = ("numpy", "tokenizers", "torch", "transformers", "sentence-transformers", "vllm")


def split(device: str) -> tuple[str, str]:
    """(the device as its node names it, its cluster or nothing): cuda:0+1 and auto of cuda:0+1@auto."""
    name, _, cluster = device.partition("@")
    return name, cluster


def cluster_devices(wanted: str, cluster: str) -> list[str]:
    """The devices of a cluster: every GPU for cuda and auto, every node for cpu, and for auto where there are no GPUs.

    Raises UsageError for other devices, and what `connect` raises.
    """
    if wanted not in ("auto", "cpu", "cuda"):
        raise UsageError(f"--device {wanted}: with --cluster expected auto, cpu or cuda, of which every one is used")
    nodes = connect(cluster)
    gpus = sum(node.gpus for node in nodes)
    if wanted == "cuda" and not gpus:
        raise UsageError(f"--device cuda: the {len(nodes)} nodes of cluster {cluster} have no GPU")
    if gpus and wanted != "cpu":
        return [f"cuda:{number}@{cluster}" for number in range(gpus)]
    able = sum(node.cpus > 1 for node in nodes)
    if not able:
        raise UsageError(f"--cluster {cluster}: expected a node with at least 2 CPUs, found {len(nodes)} with fewer")
    return [f"cpu:{number}@{cluster}" for number in range(able)]


def gpu_names(cluster: str) -> list[str]:
    """What the GPUs of a cluster are called, each name once."""
    nodes = [node for node in connect(cluster) if node.gpus]
    import ray

    ask = ray.remote(num_cpus=0, num_gpus=0.01)(_gpu_names)  # a task without a share of a GPU sees none
    asked = [ask.options(scheduling_strategy=_on(node, soft=False)).remote() for node in nodes]
    return sorted({name for names in _got(asked) for name in names})


class Node(NamedTuple):
    """A node of a cluster that is alive, with all of its CPUs and GPUs, used or not."""

    id: str
    address: str
    cpus: int
    gpus: int


def connect(cluster: str) -> list[Node]:
    """The nodes of the cluster that are alive. The first call joins it, or starts it; the end of this process leaves it.

    Raises UsageError where Ray is not installed, where there is no cluster, or where it refuses the token.
    """
    _join(cluster)
    import ray

    found = [
        Node(
            node["NodeID"],
            node["NodeManagerAddress"],
            int(node["Resources"].get("CPU", 0)),
            int(node["Resources"].get("GPU", 0)),
        )
        for node in ray.nodes()
        if node["Alive"]
    ]
    return sorted(found, key=lambda node: (node.address, node.id))


@functools.cache
def _join(cluster: str) -> None:
    # Ray reads these when it is imported, and the processes that it starts inherit them
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    local = re.fullmatch(r"local:([1-9][0-9]?)", cluster)
    if local:
        os.environ.setdefault("RAY_raylet_start_wait_time_s", str(START_S))
        os.environ["RAY_AUTH_MODE"], os.environ["RAY_AUTH_TOKEN"] = "token", secrets.token_hex(32)
        # its own folder: Ray writes there which cluster `auto` means, and that of another cluster stays as it is
        os.environ["RAY_TMPDIR"] = folder = tempfile.mkdtemp(prefix="cluster-")
        _watch(folder)
    else:
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", str(JOIN_S))  # tries to join, one a second
        if cluster != "auto":
            _answering(cluster)
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            f"--cluster {cluster}: Ray cannot be imported ({error}); install it: pip install -r Code/cluster/requirements.txt"
        ) from None
    address = _private(int(local[1])) if local else cluster
    try:
        with _silent():
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", namespace="seedkit")
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise UsageError(
            f"--cluster {cluster}: expected a running cluster to which this machine belongs, and its token in RAY_AUTH_TOKEN or "
            f"~/.ray/auth_token ({_line(error)})"
        ) from None
    atexit.register(ray.shutdown)


@contextmanager
def _silent() -> Iterator[None]:
    """Nothing goes to stderr: while Ray joins a cluster that refuses its token, its C++ parts write a line a second."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _line(error: Exception) -> str:
    """An error of Ray's, which may have pages, in one line."""
    return f"{type(error).__name__}: {(str(error).strip() or 'no reason given').splitlines()[0]}"


def _answering(address: str) -> None:
    """Raises UsageError where nothing listens at HOST:PORT: Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--cluster {address}: expected HOST:PORT, auto or local:N")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise UsageError(f"--cluster {address}: no cluster answers there ({error})") from None


# Reads until the script has ended, however it did; then ends what has files open in the folder (every process
# of Ray's writes its log there), and removes it.
WATCH = """
import os, pathlib, shutil, signal, sys, time
sys.stdin.read()
for _ in range(20):
    left = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            opened = [] if entry.name == sys.argv[2] else (entry / "fd").iterdir()  # the script waits for this to be done
            if any(os.readlink(file).startswith(sys.argv[1] + "/") for file in opened):
                left.append(int(entry.name))
                os.kill(left[-1], signal.SIGKILL)
        except OSError:  # it has ended, or is not ours
            pass
    if not left:
        break
    time.sleep(0.2)
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


def _watch(folder: str) -> None:
    """See to it that nothing is left of a private cluster whose folder this is.

    A killed script's nodes end with it, but Ray's agents beside them wait for a minute or more for the head node.
    """
    nowhere = subprocess.DEVNULL
    watcher = subprocess.Popen(
        [sys.executable, "-c", WATCH, folder, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=nowhere,
        stderr=nowhere,
        start_new_session=True,
    )
    atexit.register(watcher.communicate)  # closes its stdin and waits: after all else, since it is registered first


def _private(count: int) -> str:
    """Start a cluster of so many nodes on this machine, each with its share of the cores; returns its address.

    Its processes end with this one, also where it is killed.
    """
    from ray.cluster_utils import Cluster

    share = max(1, (os.cpu_count() or 1) // count)
    cluster = Cluster()
    atexit.register(cluster.shutdown)
    for number in range(count):
        # a node keeps a CPU free; on 127.0.0.1 nodes do not find each other
        ip = f"127.0.0.{2 + number}"
        try:
            cluster.add_node(
                num_cpus=share + 1, object_store_memory=STORE_BYTES, include_dashboard=False, node_ip_address=ip
            )
        except Exception as error:  # Ray says no more than that of a node that does not start in time
            raise RunError(f"--cluster local:{count}: node {number + 1} did not start: {_line(error)}") from error
    address: str = cluster.address
    return address


def _on(node: Node, *, soft: bool) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node.id, soft=soft)


def _got(refs: Sequence[Any]) -> Any:
    """The values. An error that was raised on the node is raised here as it was."""
    import ray

    try:
        return ray.get(refs)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None


# --- what runs on the nodes. It travels as it is, since a node that lacks the package has to be able to say so: from here
# --- on, nothing outside of the standard library may be named.


def _gpu_names() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def installed(rooms: Sequence[str]) -> dict[str, str | None]:
    """What is installed here, None for what is not: a hash of the sources of our own packages, versions of the others."""
    found: dict[str, str | None] = {}
    for name in rooms:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            found[name] = None
            continue
        digest = hashlib.sha256()
        origin = Path(spec.origin)
        for path in sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]:
            digest.update(f"{path.relative_to(origin.parent).as_posix()}\0".encode() + path.read_bytes())
        found[name] = digest.hexdigest()[:16]
    for name in DECISIVE:
        try:
            found[name] = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


class StageActor:
    """One stage in a process of its own. It loads with the first chunk."""

    def hello(self, rooms: Sequence[str]) -> tuple[str, dict[str, str | None]]:
        """The address of this node, and what is installed here."""
        import ray

        return ray.util.get_node_ip_address(), installed(rooms)

    def start(self, factory: Callable[..., Any], device: str, threads: int) -> None:
        """Take what makes the stage. On the CPU it computes with so many threads."""
        from seedkit.cli import cudnn_attention_last, reproducible_arithmetic

        reproducible_arithmetic()
        cudnn_attention_last()
        self._stage: Any = None
        if device == "cpu":
            import torch

            torch.set_num_threads(threads)
        self._load = functools.partial(factory, device=device)

    def work(self, work: Callable[[Any, Any], Any], chunk: Any) -> Any:
        """What `work` makes of the stage and a chunk."""
        self._stage = self._stage or self._load()
        return work(self._stage, chunk)


# --- what runs in the script


@dataclass(eq=False)
class _Slot:
    """A place for an actor, and the actor that has it now. `given` are the numbers of its chunks, the oldest first."""

    device: str
    needs: dict[str, Any]  # Ray's options: CPUs, GPUs, node
    threads: int = 1
    actor: Any = None
    ready: bool = False
    given: list[int] = field(default_factory=list)


class Actors:
    """A stage for each of the `devices`, all of one cluster."""

    def __init__(self, factory: Callable[..., Any], devices: Sequence[str], cluster: str) -> None:
        self._factory, self._cluster = factory, cluster
        nodes = connect(cluster)
        made_by = factory.func if isinstance(factory, functools.partial) else factory
        self._rooms = sorted({"seedkit", made_by.__module__.partition(".")[0]})
        self._here = installed(self._rooms)
        self._waiting: dict[Any, tuple[_Slot, str, int]] = {}  # by reference: whose it is, which call, and which chunk
        if devices[0].startswith("cuda"):
            self._slots = _gpu_slots(devices, nodes, cluster)
        else:
            able = [node for node in nodes if node.cpus > 1]
            # a node's stage has all of its CPUs but one: Ray itself needs a little
            self._slots = [
                _Slot("cpu", {"num_cpus": node.cpus - 1, "scheduling_strategy": _on(node, soft=True)}, node.cpus - 1)
                for _, node in zip(devices, able, strict=False)
            ]

    def each(self, work: Callable[[Any, Any], Any], chunks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Yield (chunk number, what `work` makes of stage and chunk) as chunks finish, in any order.

        Raises what the stage raises; InputError where a node lacks a package or has another version of it; RunError where
        no actor can be started, or a chunk ends one each time.
        """
        import ray

        for slot in self._slots:  # what an earlier call was not asked for to the end
            slot.given.clear()
        self._waiting = {ref: whose for ref, whose in self._waiting.items() if whose[1] != "work"}
        todo = deque(range(len(chunks)))
        deaths: Counter[int] = Counter()
        left = len(chunks)
        since = time.monotonic()  # when an actor was last at work
        while left:
            for slot in self._slots:
                if slot.actor is None:
                    self._start(slot)
                while slot.ready and todo and len(slot.given) < AHEAD:
                    number = todo.popleft()
                    slot.given.append(number)
                    self._waiting[slot.actor.work.remote(work, chunks[number])] = (slot, "work", number)
            since = time.monotonic() if any(slot.ready for slot in self._slots) else since
            done, _ = ray.wait(list(self._waiting), timeout=BEAT_S)
            if not done:
                self._patience(time.monotonic() - since)
            for ref in done:
                if ref not in self._waiting:  # its actor has died in this very round
                    continue
                slot, call, number = self._waiting.pop(ref)
                try:
                    found = _got([ref])[0]
                except ray.exceptions.RayError as error:
                    self._died(slot, call, error, todo, deaths)
                    continue
                if call == "hello":
                    self._check(*found)
                    start = slot.actor.start.remote(self._factory, slot.device, slot.threads)
                    self._waiting[start] = (slot, "start", -1)
                elif call == "start":
                    slot.ready = True
                else:
                    slot.given.remove(number)
                    left -= 1
                    yield number, found

    def close(self) -> None:
        """End the actors, which gives back the memory of their models."""
        import ray

        for slot in self._slots:
            if slot.actor is not None:
                ray.kill(slot.actor)
                slot.actor = None
        self._waiting.clear()

    def _start(self, slot: _Slot) -> None:
        import ray

        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
        slot.actor = ray.remote(StageActor).options(max_restarts=0, **slot.needs).remote()
        slot.ready = False
        self._waiting[slot.actor.hello.remote(self._rooms)] = (slot, "hello", -1)

    def _died(self, slot: _Slot, call: str, error: Exception, todo: deque[int], deaths: Counter[int]) -> None:
        """Give an actor's chunks again; its place is free for another."""
        import ray

        why = _line(error)
        over = slot.given[0] if slot.given else -1
        deaths[over] += 1
        if deaths[over] >= TRIES:
            raise RunError(
                f"cluster {self._cluster}: a worker died {TRIES} times {'over the same texts' if slot.given else 'at its start'} "
                f"(out of memory?): {why}; what is finished is kept, run again to resume"
            )
        say(f"cluster {self._cluster}: a worker died ({why}); what it had is given again")
        todo.extendleft(reversed(slot.given))
        slot.given.clear()
        for ref in [ref for ref, (whose, _, _) in self._waiting.items() if whose is slot]:
            del self._waiting[ref]
        ray.kill(slot.actor)  # what became of it is known, but not whether it holds its place
        slot.actor, slot.ready = None, False

    def _check(self, address: str, there: dict[str, str | None]) -> None:
        for name, wanted in self._here.items():
            if there[name] != wanted:
                raise InputError(
                    f"node {address} of cluster {self._cluster}: {name} is {there[name] or 'not installed'}, expected "
                    f"{wanted or 'none'} as here; the same has to be installed on every node"
                )

    def _patience(self, waited_s: float) -> None:
        """Say what is waited for, if no actor is at work. Raises RunError after START_S."""
        if waited_s < BEAT_S / 2:
            return
        needs = {name: count for name, count in self._slots[0].needs.items() if name.startswith("num_")}
        what = f"cluster {self._cluster}: no worker has started for {waited_s:.0f} s; each needs {needs}"
        if waited_s >= START_S:
            raise RunError(f"{what}; what is finished is kept, run again to resume")
        say(f"{what}; is the cluster busy?")


def _gpu_slots(devices: Sequence[str], nodes: Sequence[Node], cluster: str) -> list[_Slot]:
    """A place for each device, the GPUs of a group on one node. Raises InputError where there are too few."""
    slots = []
    for device in devices:
        size = device.count("+") + 1
        # on its node, an actor sees its own GPUs only, numbered from 0
        name = f"cuda:{'+'.join(map(str, range(size)))}"
        slots.append(_Slot(name, {"num_cpus": 1, "num_gpus": size, "scheduling_strategy": "SPREAD"}))
    size = slots[0].needs["num_gpus"]
    room = sum(min(node.gpus // size, node.cpus) for node in nodes)
    if room < len(slots):
        have = ", ".join(f"{node.gpus} with {node.cpus} CPUs" for node in nodes)
        raise InputError(
            f"cluster {cluster}: {len(slots)} workers need {size} GPUs of one node each, and a CPU; there is room for {room} "
            f"(GPUs of its nodes: {have})"
        )
    return slots

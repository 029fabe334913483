"""Stages in actors of a Ray cluster: one for each device, or group of GPUs, on whichever node has room for it.

Chunks are cut before they come here, so results do not depend on who computes them. An actor whose process or node dies is
replaced, and its chunks are given again. The script runs on a node of the cluster; if it is killed, Ray ends its actors.
"""

import functools
import hashlib
import importlib.metadata
import importlib.util
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.errors import InputError, RunError
from seedkit.ray_cluster import START_S, Node, connect, got, in_one_line, on_node

AHEAD = 2  # chunks that an actor has at once, so that none waits for the next one
TRIES = 3  # times that an actor may die over the same chunk
BEAT_S = 10  # seconds after which it is said what is waited for
# packages that decide about the last bits of a result; builds of the same version for other processors are taken as equal
DECISIVE = ("numpy", "tokenizers", "torch", "transformers", "sentence-transformers", "vllm")


# --- what runs on the nodes. It travels as it is, since a node that lacks the package has to be able to say so: up to the next
# --- such line, nothing outside of the standard library may be named.


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
                _Slot(
                    "cpu", {"num_cpus": node.cpus - 1, "scheduling_strategy": on_node(node, soft=True)}, node.cpus - 1
                )
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
                    found = got([ref])[0]
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

        why = in_one_line(error)
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

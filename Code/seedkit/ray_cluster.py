"""A Ray cluster: joining one, or starting a private one on this machine, and what devices it has.

A device of a cluster is named as one of this machine, with the cluster behind an @: `cuda:3@10.0.0.5:6379`, `cpu:0@local:2`.
Its number counts the cluster's devices and says nothing about the node. A cluster is the address of one, `auto` for the one
that this machine belongs to, or `local:N` for a private one of N nodes on this machine, which ends with the script.
"""

import atexit
import functools
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from seedkit.errors import RunError, UsageError

START_S = 120  # seconds in which at least one node, and one actor, has to start
JOIN_S = 10  # seconds in which a cluster has to take this script
STORE_BYTES = 256 * 2**20  # of each node's object store in a private cluster; what does not fit goes to the disk


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


@functools.cache
def gpu_names(cluster: str) -> list[str]:
    """What the GPUs of a cluster are called, each name once. Raises RunError where a node's are all taken for START_S."""
    nodes = [node for node in connect(cluster) if node.gpus]
    import ray

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # a node may lack the package
    ask = ray.remote(num_cpus=0, num_gpus=0.01)(_gpu_names)  # a task without a share of a GPU sees none
    asked = [ask.options(scheduling_strategy=on_node(node, soft=False)).remote() for node in nodes]
    told, silent = ray.wait(asked, num_returns=len(asked), timeout=START_S)
    if silent:
        raise RunError(
            f"cluster {cluster}: no GPU of {len(silent)} nodes was free for {START_S} s; is the cluster busy?"
        )
    return sorted({name for names in got(told) for name in names})


def _gpu_names() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


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
            f"~/.ray/auth_token ({in_one_line(error)})"
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


def in_one_line(error: Exception) -> str:
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
            raise RunError(f"--cluster local:{count}: node {number + 1} did not start: {in_one_line(error)}") from error
    address: str = cluster.address
    return address


def on_node(node: Node, *, soft: bool) -> Any:
    """Ray's scheduling strategy for that node; `soft`: another one will do where it is gone."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node.id, soft=soft)


def got(refs: Sequence[Any]) -> Any:
    """The values. An error that was raised on the node is raised here as it was."""
    import ray

    try:
        return ray.get(refs)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None

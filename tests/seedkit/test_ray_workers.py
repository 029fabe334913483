"""Stages on a Ray cluster: the bytes are those of one process, whatever dies. Two nodes are two raylets on this machine."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from seedkit.errors import InputError, UsageError
from seedkit.flags import add_machine_flags, parser
from seedkit.models import device_kind
from seedkit.ray_cluster import Node, cluster_devices, split
from seedkit.ray_workers import Actors, _gpu_slots, installed
from support import ROOT, Command, contents, offline

RECORDS = 600
SMALL = ("--max_batch_tokens", "256")  # enough batches that every node has some
SCRIPTS = {
    "complexity": ("RQ1_complexity/complexity_scorer.py", "--scorer", "embedded", *SMALL),
    "diversity": ("RQ3_density/diversity_scorer.py", "--embedder", "minilm", *SMALL),
}


def test_a_device_carries_its_cluster() -> None:
    add_machine_flags(flags := parser(None))
    for given, device in {
        "": "auto",
        "--cluster auto": "auto@auto",
        "--cluster local:2 --device cpu": "cpu@local:2",
        "--device cuda --cluster 10.0.0.5:6379": "cuda@10.0.0.5:6379",
    }.items():
        assert vars(flags.parse_args(given.split()))["device"] == device
    assert split("cuda:0+1@10.0.0.5:6379") == ("cuda:0+1", "10.0.0.5:6379")
    assert split("cuda:0") == ("cuda:0", "")
    assert device_kind(["cpu:0@local:2", "cpu:1@local:2"]) == device_kind(["cpu"]) == "cpu"


@pytest.mark.parametrize("given", ["", "local:0", "local:100", "local:x", "head", "ray://head:10001", "a@b:1", "head:"])
def test_what_is_no_cluster_is_refused(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    add_machine_flags(flags := parser(None))
    with pytest.raises(SystemExit) as stop:
        flags.parse_args(["--cluster", given])
    assert stop.value.code == 2
    assert "expected HOST:PORT, auto, or local:N" in capsys.readouterr().err


def test_devices_of_a_cluster_are_not_numbered() -> None:
    with pytest.raises(UsageError, match="expected auto, cpu or cuda"):
        cluster_devices("cuda:0", "local:2")


def test_an_address_where_nothing_listens_is_one_line(scorer_command: Command, tmp_path: Path) -> None:
    began = time.monotonic()
    sample = ROOT / "Datas/sample/EVOL.jsonl"
    done = scorer_command("--input_file", sample, "--output_dir", tmp_path, "--cluster", "127.0.0.2:1")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: --cluster 127.0.0.2:1: no cluster answers there")
    assert time.monotonic() - began < 60


def test_groups_of_gpus_are_on_one_node() -> None:
    nodes = [Node("a", "10.0.0.1", 8, 3), Node("b", "10.0.0.2", 8, 4), Node("c", "10.0.0.3", 64, 0)]
    slots = _gpu_slots(["cuda:0+1@auto", "cuda:2+3@auto", "cuda:4+5@auto"], nodes, "auto")
    assert [(slot.device, slot.needs["num_gpus"]) for slot in slots] == [("cuda:0+1", 2)] * 3
    with pytest.raises(InputError, match="2 workers need 4 GPUs of one node each, and a CPU; there is room for 1"):
        _gpu_slots(["cuda:0+1+2+3@auto", "cuda:4+5+6+7@auto"], nodes, "auto")


def test_a_node_without_the_package_or_with_another_version_is_named(tmp_path: Path) -> None:
    code = f"""
import json, sys
sys.path.insert(0, {str(tmp_path)!r})
from seedkit.ray_workers import installed
print(json.dumps(installed(["roomy", "seedkit", "nowhere"])))
"""
    found = []
    for text in ("A = 1\n", "A = 2\n"):
        (tmp_path / "roomy").mkdir(exist_ok=True)
        (tmp_path / "roomy" / "__init__.py").write_text(text)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    assert found[0]["roomy"] != found[1]["roomy"] and found[0]["nowhere"] is None
    assert found[0]["seedkit"] == found[1]["seedkit"] == installed(["seedkit"])["seedkit"]
    actors = object.__new__(Actors)
    actors._cluster, actors._here = "auto", {"seedkit": "abcd", "torch": "2.13.0", "vllm": None}
    actors._check("10.0.0.7", {"seedkit": "abcd", "torch": "2.13.0", "vllm": None})
    for name, there in {"seedkit": None, "torch": "2.12.0", "vllm": "0.32.0"}.items():
        with pytest.raises(InputError, match=f"node 10.0.0.7 of cluster auto: {name} is {there or 'not installed'}"):
            actors._check("10.0.0.7", {**actors._here, name: there})


# --- heavy: a real cluster


@pytest.fixture(scope="module")
def ray_python() -> str:
    """The Python of an environment with Ray."""
    folder = os.environ.get("SEEDKIT_RAY_ENV")
    if not folder:
        pytest.skip("no environment with Ray: bash tests/run.sh --all makes it")
    return f"{folder}/bin/python"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    path = tmp_path_factory.mktemp("records") / "EVOL.jsonl"
    lines = (shared_data / "seeds/evol_instruct_code.jsonl").read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:RECORDS]))
    return path


def begin(python: str, what: str, records: Path, folder: Path, *more: str) -> "subprocess.Popen[str]":
    script, *flags = SCRIPTS[what]
    command = [python, str(ROOT / "Code" / script), *flags, "--input_file", str(records), "--output_dir", str(folder)]
    where = {**offline(), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=where)


def ended(process: "subprocess.Popen[str]") -> str:
    """What the process said to stderr, once it has ended well."""
    _, said = process.communicate(timeout=600)
    assert process.returncode == 0, said[-3000:]
    return said


@pytest.fixture(scope="module")
def expected(
    tmp_path_factory: pytest.TempPathFactory, ray_python: str, records: Path
) -> Iterator[dict[str, dict[str, bytes]]]:
    """What one process writes."""
    found = {}
    for what in SCRIPTS:
        folder = tmp_path_factory.mktemp("one") / what
        ended(begin(ray_python, what, records, folder))
        found[what] = contents(folder)
    yield found


Processes = dict[int, tuple[int, str, str]]  # by id: parent, when it started, command line


def processes() -> Processes:
    found: Processes = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after = (entry / "stat").read_text().rpartition(")")[2].split()
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if after[0] != "Z":
                found[int(entry.name)] = (int(after[1]), after[19], line)
    return found


def below(pid: int) -> dict[tuple[int, str], str]:
    """The processes that a process has started, and those they have: (id, when it started) and command line."""
    every, found, todo = processes(), {}, [pid]
    while todo:
        one = todo.pop()
        for child, (parent, since, line) in every.items():
            if parent == one:
                found[child, since] = line
                todo.append(child)
    return found


def none_left(started: dict[tuple[int, str], str]) -> None:
    for _ in range(60):
        every = processes()
        left = {key: line for key, line in started.items() if key[0] in every and every[key[0]][1] == key[1]}
        if not left:
            return
        time.sleep(0.5)
    raise AssertionError(left)


def until(process: "subprocess.Popen[str]", word: str, count: int = 1) -> list[int]:
    """The ids of at least `count` processes below this one whose command line holds a word, once they are there."""
    for _ in range(1200):
        found = [pid for (pid, _), line in below(process.pid).items() if word in line]
        if len(found) >= count:
            return found
        assert process.poll() is None, process.communicate()[1][-3000:]
        time.sleep(0.1)
    raise AssertionError(f"no {word}: {below(process.pid)}")


def second_node_at_work(process: "subprocess.Popen[str]") -> int:
    """The id of the second node's raylet, once an actor on it is at work."""
    raylet = until(process, "--node_ip_address=127.0.0.3")
    for _ in range(6000):
        every = processes()
        for parent, _, line in every.values():
            if parent in raylet and line.startswith("ray::StageActor.work"):
                return parent
        assert process.poll() is None, process.communicate()[1][-3000:]
        time.sleep(0.02)
    raise AssertionError("the second node has no work")


@pytest.mark.heavy
@pytest.mark.parametrize("what", SCRIPTS)
def test_two_nodes_give_the_bytes_of_one_process(
    tmp_path: Path, ray_python: str, records: Path, expected: dict[str, dict[str, bytes]], what: str
) -> None:
    process = begin(ray_python, what, records, tmp_path / "out", "--cluster", "local:2")
    until(process, "ray::StageActor", 2)
    started = below(process.pid)
    ended(process)
    assert contents(tmp_path / "out") == expected[what]
    none_left(started)


@pytest.mark.heavy
@pytest.mark.parametrize(("what", "victim"), [("complexity", "actor"), ("diversity", "node")])
def test_what_a_dead_actor_or_node_had_is_given_again(
    tmp_path: Path, ray_python: str, records: Path, expected: dict[str, dict[str, bytes]], what: str, victim: str
) -> None:
    process = begin(ray_python, what, records, tmp_path / "out", "--cluster", "local:2")
    node = second_node_at_work(process)
    started = below(process.pid)
    os.kill(node if victim == "node" else until(process, "ray::StageActor.work")[0], signal.SIGKILL)
    said = ended(process)
    assert "what it had is given again" in said
    assert contents(tmp_path / "out") == expected[what]
    none_left(started)


@pytest.mark.heavy
def test_the_killed_script_leaves_no_process_and_goes_on(
    tmp_path: Path, ray_python: str, records: Path, expected: dict[str, dict[str, bytes]]
) -> None:
    process = begin(ray_python, "complexity", records, tmp_path / "out", "--cluster", "local:2")
    second_node_at_work(process)
    started = below(process.pid)
    assert len(started) > 5
    process.kill()
    process.communicate()
    none_left(started)
    ended(begin(ray_python, "complexity", records, tmp_path / "out", "--cluster", "local:2"))
    assert contents(tmp_path / "out") == expected["complexity"]


# --- heavy: a cluster that others have started

HEAD = """
import sys
from ray.cluster_utils import Cluster
cluster = Cluster()
cluster.add_node(num_cpus=2, node_ip_address="127.0.0.2", include_dashboard=False, object_store_memory=2**27)
print(cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def address(ray_python: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A cluster of one node, and the variables with which a process may join it."""
    with tempfile.TemporaryDirectory(
        prefix="ray-"
    ) as folder:  # a short path: sockets have names of 107 letters at most
        variables = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5eed" * 16, "RAY_TMPDIR": folder, "HOME": folder}
        variables |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_raylet_start_wait_time_s": "120"}
        head = subprocess.Popen(
            [ray_python, "-c", HEAD],
            env={**offline(), **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert head.stdout is not None
        where = head.stdout.readline().strip()
        started = below(head.pid)
        yield where, variables
        head.communicate("")
        none_left(started)


def joined(python: str, address: str, folder: Path, *more: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """complexity_scorer.py on a cluster."""
    script, *flags = SCRIPTS["complexity"]
    command = [python, str(ROOT / "Code" / script), *flags, "--input_file", str(ROOT / "Datas/sample/EVOL.jsonl")]
    command += ["--limit", "60", "--output_dir", str(folder), *more, *(["--cluster", address] if address else [])]
    where = {**offline(), **variables}
    return subprocess.run(command, capture_output=True, text=True, env=where, timeout=300, check=False)


@pytest.mark.heavy
def test_a_cluster_is_joined_by_its_address_and_with_its_token_only(
    tmp_path: Path, ray_python: str, address: tuple[str, dict[str, str]]
) -> None:
    where, variables = address
    assert joined(ray_python, "", tmp_path / "one").returncode == 0
    done = joined(ray_python, where, tmp_path / "cluster", **variables)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "cluster") == contents(tmp_path / "one")
    for wrong in ({"RAY_AUTH_TOKEN": "bad0" * 16}, {"RAY_AUTH_TOKEN": ""}):
        began = time.monotonic()
        done = joined(ray_python, where, tmp_path / "none", **{**variables, **wrong})
        assert done.returncode == 2
        lines = [line for line in done.stderr.splitlines() if not line.startswith("EVOL: ")]
        assert len(lines) == 1 and lines[0].startswith(f"error: --cluster {where}: expected a running cluster"), (
            done.stderr
        )
        assert time.monotonic() - began < 60
    done = joined(ray_python, where, tmp_path / "none", "--device", "cuda", **variables)
    assert (done.returncode, done.stderr.splitlines()[-1][:20]) == (2, "error: --device cuda")


@pytest.mark.heavy
def test_a_node_that_lacks_the_package_is_one_line(
    tmp_path: Path, ray_python: str, address: tuple[str, dict[str, str]]
) -> None:
    where, variables = address
    subprocess.run([ray_python, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    asked = [ray_python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    others = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    (bare,) = (tmp_path / "bare").glob("lib/python3*/site-packages")
    (bare / "others.pth").write_text(others)  # the libraries, but not what a .pth file there adds: our own package
    command = [str(tmp_path / "bare/bin/python"), "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus", "2"]
    command += ["--address", where, "--node-ip-address", "127.0.0.3", "--object-store-memory", str(2**27)]
    node = subprocess.Popen(
        command, env={**offline(), **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    try:
        until(node, "raylet_socket_name")
        for _ in range(20):  # it has to be known to the head node, too
            done = joined(ray_python, where, tmp_path / "none", "--no-resume", "--overwrite", **variables)
            if done.returncode:
                break
        assert done.returncode == 2, done.stderr
        assert "error: node 127.0.0.3 of cluster" in done.stderr and "is not installed, expected" in done.stderr
    finally:
        started = below(node.pid)
        node.terminate()
        node.wait(60)
        none_left(started)

"""Stages on a Ray cluster: the bytes are those of one process, whatever dies. Two nodes are two raylets on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from seedkit.errors import InputError, UsageError
from seedkit.flags import add_machine_flags, parser
from seedkit.models import device_kind
from seedkit.ray_workers import Actors, Node, _gpu_slots, cluster_devices, installed, split
from support import ROOT, Command, contents, offline

RECORDS = 600
SCRIPTS = {
    "complexity": ("RQ1_complexity/complexity_scorer.py", "--scorer", "embedded"),
    "diversity": ("RQ3_density/diversity_scorer.py", "--embedder", "minilm"),
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
@pytest.mark.parametrize("what", SCRIPTS)
@pytest.mark.parametrize("victim", ["ray::StageActor.work", "--node_ip_address=127.0.0.3"])
def test_what_a_dead_actor_or_node_had_is_given_again(
    tmp_path: Path, ray_python: str, records: Path, expected: dict[str, dict[str, bytes]], what: str, victim: str
) -> None:
    process = begin(ray_python, what, records, tmp_path / "out", "--cluster", "local:2")
    until(process, "ray::StageActor.work", 2)
    started = below(process.pid)
    os.kill(until(process, victim)[0], signal.SIGKILL)
    said = ended(process)
    assert "what it had is given again" in said
    assert contents(tmp_path / "out") == expected[what]
    none_left(started)


@pytest.mark.heavy
def test_the_killed_script_leaves_no_process_and_goes_on(
    tmp_path: Path, ray_python: str, records: Path, expected: dict[str, dict[str, bytes]]
) -> None:
    process = begin(ray_python, "complexity", records, tmp_path / "out", "--cluster", "local:2")
    until(process, "ray::StageActor.work", 2)
    started = below(process.pid)
    assert len(started) > 5
    process.kill()
    process.communicate()
    none_left(started)
    ended(begin(ray_python, "complexity", records, tmp_path / "out", "--cluster", "local:2"))
    assert contents(tmp_path / "out") == expected["complexity"]

"""Downloads, against a stand-in of the hub on this machine that answers as the hub does and fails when told to."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from seedkit.verify import verify
from seeds.releases import RELEASES
from support import ROOT, contents, rows

SCRIPT = ROOT / "Code" / "seeds" / "fetch_seeds.py"
EVOL = RELEASES["EVOL"]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves data sets: HEAD and GET of /datasets/REPO/resolve/REVISION/FILE lead to /lfs/... on another host, as on the hub."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}  # by repository/file
        self.revisions: set[str] = set()  # asked for
        self.ranges: list[str | None] = []  # asked for, of every GET of a file's bytes
        self.break_after: list[int] = []  # bytes after which the next downloads break off
        self.status = 0  # answered to every further download, or with `down` to everything
        self.down = False
        self.hold = threading.Event()  # set: downloads go through; else they wait after `stop_at` bytes
        self.hold.set()
        self.stop_at = 0
        self.arrived = threading.Event()  # a download waits
        self.ignores_ranges = False
        self.etag: str | None = None
        self.commit: str | None = COMMIT

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is killed is part of the test."""


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_HEAD(self) -> None:
        if self.server.down:
            return self.answer(self.server.status, {"Content-Length": "0"})
        _, _, *repo, word, revision, file = self.path.split("/", 6)
        name = "/".join([*repo, file])
        if word != "resolve" or name not in self.server.files:
            return self.answer(404, {"X-Error-Code": "EntryNotFound", "Content-Length": "0"})
        self.server.revisions.add(revision)
        data = self.server.files[name]
        commit = {"X-Repo-Commit": self.server.commit} if self.server.commit else {}
        etag = self.server.etag or hashlib.sha256(data).hexdigest()
        self.answer(
            302,
            {
                **commit,
                "X-Linked-Etag": f'"{etag}"',
                "X-Linked-Size": str(len(data)),
                "Location": f"http://localhost:{self.server.server_address[1]}/lfs/{name}",
                "Content-Length": "0",
            },
        )

    def do_GET(self) -> None:
        if not self.path.startswith("/lfs/"):
            return self.do_HEAD()
        wanted = self.headers["Range"]
        self.server.ranges.append(wanted)
        if self.server.status and not self.server.break_after:
            return self.answer(self.server.status, {"Content-Length": "0"})
        data = self.server.files[self.path.removeprefix("/lfs/")]
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and not self.server.ignores_ranges else 0
        self.answer(206 if start else 200, {"Content-Length": str(len(data) - start)})
        end = start + self.server.break_after.pop(0) if self.server.break_after else len(data)
        if not self.server.hold.is_set():
            self.wfile.write(data[start : self.server.stop_at])
            start = self.server.stop_at
            self.server.arrived.set()
            self.server.hold.wait(60)
        self.wfile.write(data[start:end])
        self.close_connection = True


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    random_ = random.Random(0)
    texts = (" ".join(f"w{random_.randrange(10_000)}" for _ in range(30)) for _ in range(2500))
    rows = [{"instruction": text, "response": text * 3} for text in texts]
    server.files[f"{EVOL.repo}/{EVOL.file}"] = "".join(json.dumps(row) + "\n" for row in rows).encode()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


def start(hub: Hub | str, out: Path, *flags: str, **environment: str) -> "subprocess.Popen[str]":
    env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    env |= {
        "HF_ENDPOINT": hub if isinstance(hub, str) else hub.url,
        "NO_PROXY": "127.0.0.1,localhost",
        "HF_HOME": str(out.parent),
    }
    command = [sys.executable, str(SCRIPT), "--output_dir", str(out), *(flags or ("--sources", "EVOL"))]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**env, **environment}
    )


def fetch(hub: Hub | str, out: Path, *flags: str, **environment: str) -> tuple[int, str]:
    """Exit code and what was said."""
    process = start(hub, out, *flags, **environment)
    said = process.communicate(timeout=120)[1]
    assert "Traceback" not in said
    assert process.returncode is not None
    return process.returncode, said


def whole(hub: Hub, folder: Path) -> dict[str, bytes]:
    """What a run that nothing disturbs writes."""
    code, said = fetch(hub, folder)
    assert code == 0, said
    hub.ranges.clear()
    return contents(folder)


def test_all_four_from_the_hub(tmp_path: Path, hub: Hub) -> None:
    oss, alpaca, math = (RELEASES[name] for name in ("OSS", "ALPACA", "MATH"))
    hub.files[f"{oss.repo}/{oss.file}"] = b'{"problem": "p", "solution": "s"}\n'
    hub.files[f"{math.repo}/{math.file}"] = b'[{"source": "a.json", "instruction": "i", "output": "o"}]'
    table = pyarrow.table({"instruction": ["i", "j"], "input": ["", "k"], "output": ["o", "o"]})
    parquet.write_table(table, tmp_path / "a.parquet")
    hub.files[f"{alpaca.repo}/{alpaca.file}"] = (tmp_path / "a.parquet").read_bytes()
    out = tmp_path / "out"
    flags = ("--sources", "EVOL,OSS,ALPACA,MATH")
    code, said = fetch(hub, out, *flags)
    assert code == 0, said
    assert verify(out) == []
    assert [len(rows(out / f"{name}.jsonl")) for name in RELEASES] == [2500, 1, 2, 1]
    assert hub.revisions == {"main", alpaca.revision, COMMIT}
    manifest = json.loads((out / "manifest.json").read_text())
    assert {one["release"]["commit"] for one in (manifest, *manifest["others"])} == {COMMIT}
    assert len(hub.ranges) == 4
    before = contents(out)

    code, said = fetch(hub, out, *flags)  # the checksums say that there is nothing to download
    assert (code, said.count("finished by an earlier run")) == (0, 4)
    code, said = fetch(hub, out, *flags, "--no-resume")  # what was downloaded is there
    assert (code, contents(out)) == (0, before)
    assert len(hub.ranges) == 4
    hub.files[f"{oss.repo}/{oss.file}"] += b'{"problem": "q", "solution": "s"}\n'
    code, said = fetch(hub, out, *flags, "--revision", "OSS=v2")
    assert (code, said.count("finished by an earlier run")) == (0, 3)
    assert "v2" in hub.revisions
    assert len(rows(out / "OSS.jsonl")) == 2


def test_a_download_says_how_far_it_is(tmp_path: Path, hub: Hub) -> None:
    """Where stderr is no terminal: a line every REPORT_S seconds, and one for each connection that brought nothing."""
    hub.break_after = [800_000, 0]
    program = (
        "import runpy, sys\nfrom seeds import hub_files\nhub_files.REPORT_S = hub_files.WAIT_S = 0.0\n"
        f"sys.argv = [{str(SCRIPT)!r}, '--sources', 'EVOL', '--output_dir', {str(tmp_path / 'out')!r}]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    environment |= {"HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1,localhost", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    size = len(hub.files[f"{EVOL.repo}/{EVOL.file}"]) / 1e6
    lines = [line for line in done.stderr.splitlines() if line.endswith(f" of {size:,.1f} MB")]
    assert lines[0] == f"{EVOL.name}: downloading {size:,.1f} of {size:,.1f} MB"
    reached = [float(line.split()[1]) for line in lines[1:]]
    assert len(reached) >= 3
    assert reached == sorted(reached)
    assert reached[-1] == round(size, 1)
    assert sum(line.endswith("; trying again") for line in done.stderr.splitlines()) == 1


def test_a_download_that_breaks_off_goes_on_in_the_next_run(tmp_path: Path, hub: Hub) -> None:
    expected = whole(hub, tmp_path / "whole")
    hub.break_after, hub.status = [1_000_000], 503
    code, said = fetch(hub, tmp_path / "out")
    assert code == 1
    size = len(hub.files[f"{EVOL.repo}/{EVOL.file}"])
    assert f"of {size:,} bytes (the hub answered 503); run again to go on from there" in said.splitlines()[-1]
    assert contents(tmp_path / "out") == {}
    hub.status = 0
    hub.ranges.clear()
    code, said = fetch(hub, tmp_path / "out")
    assert code == 0, said
    (wanted,) = hub.ranges
    assert wanted is not None
    assert 500_000 < int(wanted.removeprefix("bytes=").rstrip("-")) <= 1_000_000
    assert contents(tmp_path / "out") == expected
    assert [path.name for path in (tmp_path / "out" / ".downloads").iterdir()] == [EVOL.name]


def test_one_that_is_killed_goes_on_in_the_next_run(tmp_path: Path, hub: Hub) -> None:
    expected = whole(hub, tmp_path / "whole")
    out = tmp_path / "out"
    hub.stop_at = 1_000_000
    hub.hold.clear()
    process = start(hub, out)
    assert hub.arrived.wait(30)
    deadline = time.monotonic() + 30
    while sum(path.stat().st_size for path in out.rglob("*.partial")) < 500_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    hub.hold.set()
    hub.ranges.clear()
    code, said = fetch(hub, out)
    assert code == 0, said
    assert hub.ranges[0] is not None
    assert contents(out) == expected


def test_short_breaks_are_bridged_within_a_run(tmp_path: Path, hub: Hub) -> None:
    expected = whole(hub, tmp_path / "whole")
    hub.break_after = [600_000, 600_000]
    code, said = fetch(hub, tmp_path / "out")
    assert code == 0, said
    assert len(hub.ranges) == 3
    assert contents(tmp_path / "out") == expected


def test_a_server_without_ranges_sends_it_all_again(tmp_path: Path, hub: Hub) -> None:
    expected = whole(hub, tmp_path / "whole")
    hub.break_after, hub.ignores_ranges = [600_000], True
    code, said = fetch(hub, tmp_path / "out")
    assert code == 0, said
    assert contents(tmp_path / "out") == expected


def test_a_part_of_a_file_that_was_replaced_since_is_not_used(tmp_path: Path, hub: Hub) -> None:
    hub.break_after, hub.status = [600_000], 503
    fetch(hub, tmp_path / "out")
    hub.status = 0
    hub.ranges.clear()
    hub.files[f"{EVOL.repo}/{EVOL.file}"] = b'{"instruction": "new", "response": "r"}\n'
    code, said = fetch(hub, tmp_path / "out")
    assert code == 0, said
    assert hub.ranges == [None]
    assert [row["instruction"] for row in rows(tmp_path / "out" / "EVOL.jsonl")] == ["new"]


def test_a_wrong_checksum_is_never_used(tmp_path: Path, hub: Hub) -> None:
    out = tmp_path / "out"
    for etag, kind in (("0" * 64, "sha256"), ("0" * 40, "git blob")):
        hub.etag = etag
        code, said = fetch(hub, out)
        assert code == 1
        assert f"expected {kind} {etag}, got " in said.splitlines()[-1]
        assert contents(out) == {}
        assert list((out / ".downloads").iterdir()) == []
    data = hub.files[f"{EVOL.repo}/{EVOL.file}"]
    hub.etag = hashlib.sha1(
        b"blob %d\0" % len(data) + data, usedforsecurity=False
    ).hexdigest()  # a file that is not in LFS
    assert fetch(hub, out)[0] == 0
    code, said = fetch(hub, out)
    assert (code, said.count("finished by an earlier run")) == (0, 1)


def test_no_hub_no_file_no_hub_at_all(tmp_path: Path, hub: Hub) -> None:
    out = tmp_path / "out"
    code, said = fetch("http://127.0.0.1:9", out)
    assert code == 2
    assert len(said.splitlines()) == 1
    assert "the hub cannot be reached" in said
    assert "--from_dir" in said
    code, said = fetch(hub, out, HF_HUB_OFFLINE="1")
    assert code == 2
    assert "HF_HUB_OFFLINE is set" in said
    code, said = fetch(hub, out, "--sources", "MATH")
    assert code == 2
    assert "no MathInstruct.json at revision main: the hub answered 404" in said
    hub.commit = None
    code, said = fetch(hub, out)
    assert code == 1
    assert "is this a hub?" in said
    hub.down, hub.status = True, 500
    code, said = fetch(hub, out)
    assert code == 1
    assert "the hub answered 500" in said
    assert not out.exists()

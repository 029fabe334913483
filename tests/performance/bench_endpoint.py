"""How many requests a second does the teacher's script send, and in how much memory? Against a server that answers after 50 ms.

    PYTHONPATH=tests python tests/performance/bench_endpoint.py --requests 10000 --kills 5
    PYTHONPATH=tests python tests/performance/bench_endpoint.py --clients --requests 3000     # the bare clients: aiohttp, httpx2

The first prints a line for the whole script and, with --kills, one for a run that is killed with -9 so often on the way.
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from scripted_server import Reply, ScriptedServer, Seen, plain, serving

ROOT = Path(__file__).resolve().parents[2]
DELAY_S = 0.05


def slow(seen: Seen) -> Reply:
    return Reply(plain(seen).body, delay_s=DELAY_S)


def command(records: Path, url: str, folder: Path, concurrency: int) -> list[str]:
    asked = ["--input_file", records, "--endpoint", url, "--teacher", "m", "--output_dir", folder]
    script = [sys.executable, ROOT / "Code" / "teacher" / "answer_seeds.py"]
    return list(map(str, [*script, *asked, "--max_concurrency", concurrency]))


def sampled_memory(process: "subprocess.Popen[bytes]", samples: list[int]) -> None:
    """Resident MiB of a process, ten times a second, until it ends."""
    while process.poll() is None:
        try:
            fields = Path(f"/proc/{process.pid}/statm").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            return
        if len(fields) > 1:
            samples.append(int(fields[1]) * os.sysconf("SC_PAGE_SIZE") >> 20)
        time.sleep(0.1)


def answered(server: ScriptedServer, records: Path, folder: Path, concurrency: int, kills: int, count: int) -> str:
    """Run the script to its end, killed so often on the way; one line."""
    before, samples = server.count, list[int]()
    for kill in range(kills + 1):
        process = subprocess.Popen(
            command(records, server.url, folder, concurrency), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        watch = threading.Thread(target=sampled_memory, args=(process, samples))
        watch.start()
        if kill < kills:
            wanted = before + (kill + 1) * count // (kills + 1)
            while server.count < wanted and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        process.wait()
        watch.join()
    assert process.returncode == 0
    return f"requests {server.count - before:,} for {count:,} answers, memory {samples[len(samples) // 2]} MiB half-way, {max(samples)} at most"


def rate(server: ScriptedServer, times: list[float]) -> str:
    span = times[-1] - times[0]
    return f"{(len(times) - 1) / span:,.0f} a second"


async def bare(client: str, url: str, count: int, concurrency: int) -> float:
    """Requests a second of a client alone."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode()
    numbers = iter(range(count))

    async def work(post) -> None:  # type: ignore[no-untyped-def]
        for _ in numbers:
            await post()

    url = f"{url}/chat/completions"
    began = time.monotonic()
    if client == "aiohttp":
        import aiohttp

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def post() -> None:
                async with session.post(url, data=body) as response:
                    await response.read()

            await asyncio.gather(*(work(post) for _ in range(concurrency)))
    else:
        import httpx2

        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx2.AsyncClient(limits=limits, timeout=60, trust_env=False) as http:

            async def post() -> None:
                (await http.post(url, content=body)).raise_for_status()

            await asyncio.gather(*(work(post) for _ in range(concurrency)))
    return count / (time.monotonic() - began)


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--requests", type=int, default=10_000)
    flags.add_argument("--concurrency", type=int, default=64)
    flags.add_argument("--kills", type=int, default=0)
    flags.add_argument("--clients", action="store_true", help="the clients alone, in turns")
    args = flags.parse_args()
    if args.clients:
        for concurrency in (64, 256, 64, 256):
            for client in ("aiohttp", "httpx2"):
                with serving(slow, keep_seen=False) as server:
                    found = asyncio.run(bare(client, server.url, args.requests, concurrency))
                used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
                print(f"{client:8} {concurrency:4} under way {found:8,.0f} a second, {used} MiB at most", flush=True)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        records = folder / "records.jsonl"
        lines = ({"instruction": f"question {n}", "output": ""} for n in range(args.requests))
        records.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        times: list[float] = []

        def timed(seen: Seen) -> Reply:
            times.append(seen.at)
            return slow(seen)

        with serving(timed, keep_seen=False) as server:
            line = answered(server, records, folder / "whole", args.concurrency, 0, args.requests)
            print(f"uninterrupted: {rate(server, times)}, {line}", flush=True)
            if args.kills:
                line = answered(server, records, folder / "killed", args.concurrency, args.kills, args.requests)
                same = all(
                    (folder / "whole" / name).read_bytes() == (folder / "killed" / name).read_bytes()
                    for name in ("answers.jsonl", "RECORDS_TEACHER.jsonl")
                )
                print(f"killed {args.kills} times: {line}, same bytes: {same}", flush=True)


if __name__ == "__main__":
    main()

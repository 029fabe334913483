"""Does decontaminate.py find benchmark problems in 100,000 records, and nothing else, in under a minute?

    python tests/performance/bench_decontaminate.py [RECORDS [SEED]]

The records are the texts of the Evol-Instruct and CodeAlpaca files beside the repository, over and over, each time with
other texts around them; records that hold a problem, by a simple comparison of letters and digits that shares no code
with the index, are left out first. 200 problems of HumanEval and MBPP are planted in four ways, 50 each, inside other
text, and 200 clean look-alikes: problems of the same form and topics, and texts mixed of pieces of several problems.
SEED chooses the problems, the new names and the mixes. Memory is the proportional set size (PSS) of all processes: the sum
of their resident sizes would count the pages that they share once for each of them.
"""

import ast
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import cycle
from pathlib import Path
from typing import Any

from measure import SHARED, machine
from seedkit.records import Record, read_records, record_line

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = [SHARED / "benchmarks" / "HumanEval.jsonl", SHARED / "benchmarks" / "mbpp.jsonl"]
KINDS = ("verbatim", "whitespace", "renamed", "quotes")
GOALS = {"verbatim": 0.99, "whitespace": 0.99, "quotes": 0.99, "renamed": 0.9}
LEAD = re.compile(r"^write a (python )?function (to|that|which) ")
NAMES = (
    "alpha",
    "bravo",
    "inner",
    "outer",
    "amount",
    "left",
    "right",
    "probe",
    "store",
    "total",
    "step",
    "mark",
    "cell",
    "piece",
)
BEFORE = (
    "I was asked this in an interview and got stuck.",
    "Please help me with my homework.",
    "Here is a task from our team:",
    "Complete the code below and explain each step.",
    "Solve it as simply as you can.",
    "For a course of mine:",
)
AFTER = (
    "Explain your choice of data structures.",
    "Thank you!",
    "The answer must be readable.",
    "Also say how long it takes.",
    "Think about what happens with empty input.",
    "Keep the names short.",
)


def squeezed(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def problems() -> list[dict[str, str]]:
    found = []
    for path in BENCHMARKS:
        if not path.exists():
            raise SystemExit(f"decontamination not measured: no data at {path}")
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if "text" in row:
                found.append(
                    {"name": f"MBPP/{row['task_id']}", "prompt": row["text"], "code": row["code"].replace("\r", "")}
                )
            else:
                found.append({"name": row["task_id"], "prompt": row["prompt"], "code": row["canonical_solution"]})
    return found


def held(text: str, keys: list[tuple[str, str]]) -> str | None:
    """The problem whose words, but for the opening "Write a function to", a text holds by the simple comparison."""
    plain = squeezed(text)
    return next((name for name, key in keys if key in plain), None)


def keys_of(items: list[dict[str, str]]) -> list[tuple[str, str]]:
    keys = [(item["name"], squeezed(LEAD.sub("", item["prompt"].lower()))) for item in items]
    return [(name, key) for name, key in keys if len(key) >= 12]


def base(count: int, keys: list[tuple[str, str]], rng: random.Random) -> tuple[list[Record], int]:
    """Distinct records without a problem, and how many texts were left out."""
    texts = [
        r
        for name in ("evol_instruct_code", "codealpaca_oss_schema")
        for r in read_records(SHARED / "seeds" / f"{name}.jsonl")
    ]
    clean = [r for r in texts if not held(f"{r.query}\n{r.output}", keys)]
    records: list[Record] = []
    for number, r in enumerate(cycle(clean)):
        if number == count:
            break
        before, after = rng.choice(BEFORE), rng.choice(AFTER)
        shape = number // len(clean) % 3
        instruction = (
            f"{before} {r.instruction}",
            f"{r.instruction}\n\n{after}",
            f"{before}\n{r.instruction} {after}",
        )[shape]
        records.append(Record(f"base{number}", f"{instruction} ({number})", r.input, r.output))
    return records, len(texts) - len(clean)


def renamed(item: dict[str, str], rng: random.Random) -> dict[str, str]:
    """Every name that the code defines changed, and the text's use of it; half of the time only of the function's."""
    whole = item["prompt"] + item["code"] if item["name"].startswith("HumanEval") else item["code"]
    try:
        tree = ast.parse(whole)
    except SyntaxError:
        return item
    own: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            own.append(node.name)
        elif isinstance(node, ast.arg):
            own.append(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.append(node.id)
    new = {old: f"{rng.choice(NAMES)}_{number}" for number, old in enumerate(dict.fromkeys(own))}
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, sorted(new, key=len, reverse=True))) + r")\b")

    def swap(text: str) -> str:
        return pattern.sub(lambda match: new[match[1]], text)

    if item["name"].startswith("MBPP"):
        return {**item, "code": swap(item["code"])}
    if rng.random() < 0.5:
        return {**item, "prompt": swap(item["prompt"]), "code": swap(item["code"])}
    pieces = re.split(r'("""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\')', item["prompt"])
    function = re.compile(rf"\b{re.escape(own[0])}\b")
    prose = [function.sub(new[own[0]], p) if number % 2 else swap(p) for number, p in enumerate(pieces)]
    return {**item, "prompt": "".join(prose), "code": swap(item["code"])}


def respaced(text: str, rng: random.Random) -> str:
    """Other indents, line ends and runs of blanks; words keep their order."""
    lines = [
        re.sub(r"(?<=\S) (?=\S)", lambda _: rng.choice((" ", "  ", " \n" if rng.random() < 0.1 else " ")), line)
        for line in text.split("\n")
    ]
    return rng.choice(("\r\n", "\n", "\n\n")).join(line.replace("    ", "\t").rstrip() for line in lines)


def requoted(text: str) -> str:
    swapped = text.replace('"""', "\0").replace("'''", '"""').replace("\0", "'''")
    return re.sub(r"(?<!')'([^'\n]*)'(?!')", r'"\1"', swapped)


def planted(item: dict[str, str], kind: str, number: int, rng: random.Random) -> Record:
    if kind == "renamed":
        item = renamed(item, rng)
    prompt, code = item["prompt"], item["code"]
    if kind == "whitespace":
        prompt, code = respaced(prompt, rng), respaced(code, rng)
    if kind == "quotes":
        prompt, code = requoted(prompt), requoted(code)
    answer = f"{prompt}{code}" if item["name"].startswith("HumanEval") and rng.random() < 0.3 else code
    return Record(
        f"{kind}-{item['name']}-{number}",
        f"{rng.choice(BEFORE)}\n\n{prompt}\n{rng.choice(AFTER)}",
        "",
        f"{rng.choice(AFTER)}\n```python\n{answer}\n```\n{rng.choice(BEFORE)}",
    )


VERBS = ("count", "sum", "collect", "sort", "merge", "remove", "double", "group", "rank", "join")
WHAT = (
    "even integers",
    "vowels",
    "brackets",
    "prime factors",
    "repeated words",
    "intervals",
    "tuples",
    "palindromes",
    "digits",
    "nested lists",
)
HOW = (
    "in order of first use",
    "without their neighbours",
    "by length and then by letter",
    "from the last one back",
    "that are larger than the mean",
    "at odd places",
    "with at most k changes",
    "once for each row",
)


def lookalike(number: int, items: list[dict[str, str]], rng: random.Random) -> Record:
    """A record in the form of a benchmark that holds no problem of it."""
    verb, what, how, k = rng.choice(VERBS), rng.choice(WHAT), rng.choice(HOW), rng.randint(2, 9)
    name = f"{verb}_{what.replace(' ', '_')}"
    kind = number % 4
    if kind == 0:
        text = (
            f"from typing import List\n\n\ndef {name}(numbers: List[int], k: int) -> List[int]:\n"
            f'    """ Given a list of integers and a number k, {verb} the {what} {how}.\n'
            f'    >>> {name}([1, 2, 3, {k}], {k})\n    [{k}, {k + 1}]\n    >>> {name}([], 0)\n    []\n    """\n'
        )
        code = f"    result = []\n    for i in range(len(numbers)):\n        if numbers[i] % {k} == 0:\n            result.append(numbers[i])\n    return result\n"
    elif kind == 1:
        text = f"Write a function to {verb} the {what} {how} in the given list."
        code = f"def {name}(test_list, K):\n  res = [ele for ele in test_list if ele > K]\n  return (res)"
    else:
        form = "HumanEval" if kind == 2 else "MBPP"
        one, two, three = rng.sample([item for item in items if item["name"].startswith(form)], 3)
        if kind == 2:
            signature = one["prompt"].split('"""')[0].split("'''")[0].rstrip()
            prose = " ".join(re.split(r'"""|\'\'\'', two["prompt"])[1:]).split(">>>")[0].split()
            shown = [line for line in three["prompt"].split("\n") if ">>>" in line][:1]
            text = "\n".join([signature, f'    """ {" ".join(prose[: len(prose) // 3])} {how}', *shown, '    """', ""])
        else:
            head, tail = one["prompt"].split(), two["prompt"].split()
            text = " ".join([*head[: len(head) // 2], *tail[len(tail) // 2 :]])
        lines, more = three["code"].split("\n"), one["code"].split("\n")
        code = "\n".join([*lines[: len(lines) // 2], *more[len(more) // 2 :]])
    return Record(
        f"clean-{number}", f"{rng.choice(BEFORE)}\n\n{text}\n{rng.choice(AFTER)}", "", f"```python\n{code}\n```"
    )


def pss_mb(process: int | str) -> float:
    """The memory of a process in MB; of a page that several share, each has its part."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def run(data: Path, out: Path) -> tuple[float, float]:
    """(seconds, MB at most in all its processes together, looked at 50 times a second)"""
    script = ROOT / "Code" / "seeds" / "decontaminate.py"
    command = [sys.executable, script, "--input_file", data, "--output_dir", out, "--benchmarks", *BENCHMARKS]
    start, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    while process.poll() is None:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        try:
            peak = max(peak, sum(pss_mb(own) for own in (str(process.pid), *children.read_text().split())))
        except (FileNotFoundError, ProcessLookupError):
            continue  # a process ended in between
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"decontaminate.py ended with status {process.returncode}")
    return time.perf_counter() - start, peak


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    rng = random.Random(seed)
    items = problems()
    keys = keys_of(items)
    records, left_out = base(count - 400, keys, rng)
    chosen = [*rng.sample(items[:164], 100), *rng.sample(items[164:], 100)]
    records += [planted(item, KINDS[number % 4], number, rng) for number, item in enumerate(chosen)]
    made, number = 0, 0
    while made < 200:
        number += 1
        record = lookalike(number, items, rng)
        if not held(f"{record.query}\n{record.output}", keys):
            records.append(record)
            made += 1
    rng.shuffle(records)
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "records.jsonl"
        data.write_bytes(b"".join(map(record_line, records)))
        seconds, peak = run(data, Path(name) / "out")
        evidence = [json.loads(line) for line in (Path(name) / "out" / "evidence.jsonl").read_text().splitlines()]
        text = {r.id: f"{r.query}\n{r.output}" for r in records}
    flagged: dict[str, list[dict[str, Any]]] = {}
    for row in evidence:
        assert text[row["id"]][row["start"] : row["end"]] == row["text"], row
        flagged.setdefault(row["id"], []).append(row)
    sorts = Counter(id_.split("-")[0].rstrip("0123456789") for id_ in flagged)
    named = sum(
        any(row["item"] == id_.split("-")[1] for row in rows)
        for id_, rows in flagged.items()
        if id_.split("-")[0] in KINDS
    )
    true = sum(sorts[kind] for kind in KINDS)
    precision = true / max(1, len(flagged))
    recalls = {kind: sorts[kind] / 50 for kind in KINDS}
    for kind, recall in recalls.items():
        print(f"{kind}: {sorts[kind]} of 50 found, recall {recall:.2f} (goal {GOALS[kind]})")
    for id_ in text:
        if id_.split("-")[0] in KINDS and id_ not in flagged:
            print(f"  missed: {id_}")
    for id_, rows in flagged.items():
        if id_.split("-")[0] not in KINDS:
            print(f"  wrong: {id_} {rows[0]['item']} {rows[0]['kind']} {rows[0]['overlap']} {rows[0]['text'][:100]!r}")
    print(
        f"decontamination: {len(records):,} records ({left_out} texts with a problem left out first), precision "
        f"{precision:.3f} (goal 0.98): {sorts['clean']} of 200 look-alikes and {sorts['base']} others flagged; the planted "
        f"problem named in {named} of {true}; {seconds:.1f} s (goal 60), at most {peak:,.0f} MB in all processes "
        f"(goal 1,500); seed {seed}; {machine()}"
    )
    if precision < 0.98 or seconds > 60 or peak > 1500 or any(recalls[kind] < GOALS[kind] for kind in KINDS):
        raise SystemExit("the goals are not met")


if __name__ == "__main__":
    main()

"""The code detector: precision and recall by two kinds of label, the share of math kept, answers a second.

    python tests/performance/bench_code_detector.py [--misses]

The rule looks at where a record comes from and at what its instruction asks for, never at the answer, so that it shares
nothing with the detector; it is wrong where a code set answers in prose. The labels read one by one are the truth.
--misses names the answers judged wrongly, by file and number.
"""

import json
import re
import sys
import time
from pathlib import Path

from measure import SHARED, machine

LABELS = Path(__file__).with_name("code_detector_labels.json")
CODE_SETS = ("evol_instruct_code.jsonl", "codealpaca_oss_schema.jsonl")
ALPACA, MATH = "alpaca_9k.jsonl", "math_standin.json"
ASKS_FOR_CODE = re.compile(
    r"^\W*(?:\w+\W+){0,6}?(?:write|create|implement|generate|develop|construct|design|build|make|define|code|compose"
    r"|convert|translate|rewrite|refactor|modify|edit|fix|complete|add|update)\b.{0,80}?\b(?:function|program|script"
    r"|query|queries|class|code|method|statement|snippet|command|html|css|python|java|javascript|sql|c\+\+|loop|api|app"
    r"|component|page)\b",
    re.IGNORECASE | re.DOTALL,
)
SPEAKS_OF_CODE = re.compile(
    r"\b(?:code|coding|program\w*|scripts?|functions?|python|java|javascript|js|html|css|xml|json|sql|mysql|query"
    r"|queries|c\+\+|c#|php|ruby|perl|bash|shell|linux|algorithm|array|regex|regular expression|command|compiler?|software|api"
    r"|tag|class|variable|loop|string|syntax|pseudo\w*|database|table|latex|web ?(?:page|site)|git|data structure"
    r"|dictionary)\b",
    re.IGNORECASE,
)

Key = tuple[str, int]


def answers() -> dict[Key, tuple[str, str, str]]:
    """By file and number: source ('' but in math), query and answer."""
    found: dict[Key, tuple[str, str, str]] = {}
    for name in (*CODE_SETS, ALPACA, MATH):
        text = (SHARED / "seeds" / name).read_text(encoding="utf-8")
        records = json.loads(text) if name == MATH else [json.loads(line) for line in text.split("\n") if line]
        for number, record in enumerate(records, 1):
            query = record.get("instruction", record.get("problem", ""))
            answer = next(record[key] for key in ("output", "response", "solution") if key in record)
            found[name, number] = record.get("source", ""), f"{query}\n{record.get('input', '')}", answer
    return found


def rule(name: str, source: str, query: str, answer: str) -> bool | None:
    """Whether the answer holds code, judged by its file and its instruction; None where these tell nothing."""
    if name in CODE_SETS:
        return True if answer.strip() and ASKS_FOR_CODE.search(query) else None
    if name == MATH:
        return source.startswith("PoT")
    return None if SPEAKS_OF_CODE.search(query) else False


def agreement(found: dict[Key, bool], labels: dict[Key, bool]) -> str:
    right = sum(found[key] and label for key, label in labels.items())
    return (
        f"precision {right / sum(found[key] for key in labels):.3f}, recall {right / sum(labels.values()):.3f} "
        f"on {len(labels):,} ({sum(labels.values()):,} code)"
    )


def main() -> None:
    if not SHARED.is_dir():
        raise SystemExit(f"no data at {SHARED}")
    from RQ4_breadth.code_detector import code_evidence

    records = answers()
    found = {key: code_evidence(answer) is not None for key, (_, _, answer) in records.items()}
    labels: dict[str, dict[Key, bool]] = {"rule": {}, "drawn": {}, "hard": {}}
    for key, (source, query, answer) in records.items():
        if (label := rule(key[0], source, query, answer)) is not None:
            labels["rule"][key] = label
    read = json.loads(LABELS.read_text(encoding="utf-8"))
    for kind in ("drawn", "hard"):
        for name, sides in read[kind].items():
            labels[kind] |= {(name, number): side == "code" for side, numbers in sides.items() for number in numbers}
    math = [key for key, (source, _, _) in records.items() if source.startswith(("gsm8k", "AQuA"))]
    kept = sum(not found[key] for key in math)
    prose = [answer for (name, _), (_, _, answer) in records.items() if name == ALPACA]
    sums = [records[key][2] for key in math]
    code = [answer for (name, _), (_, _, answer) in records.items() if name in CODE_SETS][::4]
    pace = []
    for what, texts in (("of Alpaca", prose), ("of math", sums), ("of the code sets", code)):
        start = time.perf_counter()
        for text in texts:
            code_evidence(text)
        pace.append(f"{len(texts) / (time.perf_counter() - start):,.0f} {what}")
    read_labels = labels["drawn"] | labels["hard"]
    print(
        f"code detector: read {agreement(found, read_labels)}; drawn alone {agreement(found, labels['drawn'])}; "
        f"by rule {agreement(found, labels['rule'])}; kept {kept:,} of {len(math):,} GSM8K and AQuA answers "
        f"({kept / len(math):.1%}); answers a second: {', '.join(pace)}; {machine()}"
    )
    if "--misses" in sys.argv:
        for kind, keys in {"read": read_labels, "rule": labels["rule"]}.items():
            for (name, number), label in keys.items():
                if found[name, number] != label:
                    print(f"{kind}: {name} {number} is {'code, not found' if label else 'no code, but found'}")


if __name__ == "__main__":
    main()

"""RQ4: code mixed with other domains, and what of those was left out because it holds code."""

import msgspec

from report.blocks import Column, DataTable, PagePart
from report.folders import FinishedOutput, rows
from report.parts import mixes
from report.parts.balance import balance
from report.parts.common import excerpt, facts_table, left_out_table, part

STAGE = "RQ4_breadth"
EXAMPLES = 3  # of each domain


class RejectedRecord(msgspec.Struct):
    """A line of the rejects with its record, which is whatever could be read."""

    reason: str
    record: msgspec.Raw = msgspec.Raw(b"null")


def section(output: FinishedOutput) -> PagePart:
    """The shares of the mixes, and what the code detector took out, with examples."""
    manifest = output.manifest
    made = part("mixes", f"RQ4 breadth of {output.source}", output)
    made.notes = mixes.same_records(output)
    with_code = manifest["counts"]["with_code"]
    heads = (
        Column("domain"),
        Column("records left to draw from", "count"),
        Column("taken out: they hold code", "count"),
    )
    lines = [(domain, manifest["counts"][domain], count) for domain, count in with_code.items()]
    caption = "What the code detector took out of the other domains"
    made.data = {
        "shares": mixes.shares(output, "domain"),
        "balance": balance(output),
        "detector": DataTable(f"{output.key}-detector", caption, heads, lines, copies=True),
        "counts": facts_table(output.key, manifest),
        "left_out": left_out_table(output),
        "examples": _examples(output, list(with_code)),
    }
    return made


def _examples(output: FinishedOutput, domains: list[str]) -> list[tuple[str, list[object]]]:
    """The first records of each domain that the code detector took out, with its evidence."""
    name = output.manifest.get("rejects", "rejects.jsonl")
    if name not in output.manifest["files"]:
        return []
    found: dict[str, list[object]] = {domain: [] for domain in domains}
    for row in rows(output.folder / name, RejectedRecord):
        start, colon, evidence = row.reason.partition(": it holds code: ")
        domain = start.partition(" (")[0]
        if colon and len(found.get(domain, [None] * EXAMPLES)) < EXAMPLES:
            record = msgspec.json.decode(row.record)
            text = "\n".join(str(record[field]) for field in ("instruction", "input", "output") if record.get(field))
            found[domain].append(excerpt(evidence, text))
        if all(len(own) >= EXAMPLES for own in found.values()):
            break
    return [(f"{domain}: taken out by the code detector", own) for domain, own in found.items() if own]

"""A finished folder of a stage that has no part of its own: its counts, arguments and files."""

from report.blocks import Column, DataTable, PagePart
from report.folders import FinishedOutput
from report.parts.common import facts_table, left_out_table, part


def section(output: FinishedOutput) -> PagePart:
    """What the manifest says."""
    made = part("other", f"{output.stage or 'A folder'} {output.source}".strip(), output)
    files = output.manifest["files"]
    lines = [
        (name, facts.get("lines"), facts.get("bytes"), str(facts.get("sha256"))[:12]) for name, facts in files.items()
    ]
    heads = (Column("file"), Column("lines", "count"), Column("bytes", "count"), Column("sha256 begins"))
    made.data = {
        "files": DataTable(f"{output.key}-files", "Files", heads, lines),
        "counts": facts_table(output.key, output.manifest),
        "left_out": left_out_table(output),
    }
    return made

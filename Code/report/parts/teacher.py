"""Answers of a teacher model to the seeds: how they ended, and what each filter would keep."""

from report.blocks import Column, DataTable, PagePart, Picture
from report.charts.bars import Bar, bars
from report.folders import FinishedOutput
from report.parts.common import facts_table, left_out_table, part

ANSWERED, VERIFIED = STAGES = ("answer_seeds", "verify_answers")


def section(output: FinishedOutput) -> PagePart:
    """Finish reasons or verdicts as bars; for verified answers the filters with what they cost."""
    manifest, key = output.manifest, output.key
    verified = output.stage == VERIFIED
    title = f"{'Verdicts on' if verified else 'Answers of'} a teacher, {output.source}"
    made = part("teacher", title, output)
    if manifest.get("final") is False:
        made.notes.append("Not final: some answers have no verdict (infra_error).")
    told = {name: count for name, count in manifest["verdicts" if verified else "finish_reasons"].items() if count}
    total = sum(told.values())
    what = "verdict" if verified else "finish reason"
    picture = f"Answers by {what}, {output.source}, n = {total:,}"
    marks = [Bar(name, (count,), f"{count:,} ({count / max(1, total):.1%})") for name, count in told.items()]
    description = "Bars: " + "; ".join(f"{bar.name} {bar.words}" for bar in marks) + "."
    table = DataTable(f"{key}-answers-table", picture, (Column(what), Column("answers", "count")), list(told.items()))
    filters = [
        [one[name] for name in ("filter", "answers", "records", "completion_tokens")]
        for one in manifest.get("filters", [])
    ]
    heads = (Column("filter"), Column("answers", "count"), Column("records", "count"), Column("tokens", "count"))
    made.data = {
        "teacher": [
            (name, str(value)) for name, value in manifest["teacher"].items() if isinstance(value, str | int | float)
        ],
        "answers": Picture(
            f"{key}-answers",
            picture,
            bars(f"{key}-answers", picture, description, marks, ("answers",), "answers"),
            table,
        )
        if marks
        else None,
        "filters": DataTable(f"{key}-filters", "What each filter alone would keep", heads, filters, copies=True)
        if filters
        else None,
        "counts": facts_table(key, manifest),
        "left_out": left_out_table(output),
    }
    return made

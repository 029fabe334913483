"""The mixes of the study: how many records of each domain they have, and the chart of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seedkit import figures
from seedkit.errors import InputError
from seedkit.mixes import Mix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CODE = "CODE"
DOMAINS = ("GENERAL", "MATH")
SHARES = (3, 10, 30)  # percent of the other domain; the rest is code


def plan(total: int, samples: int) -> list[Mix]:
    """The baseline, and every mix of every sample. The other domain's count is its share of the total, halves rounded up.

    Raises InputError if the total is so small that the smallest share of it is less than one record.
    """
    if total * SHARES[0] < 50:
        raise InputError(
            f"{total} code records: expected at least {-(-50 // SHARES[0])}, so that {SHARES[0]}% is one or more"
        )
    mixes = [Mix("RQ4_BREADTH_CODE_100.jsonl", None, None, {CODE: total})]
    for sample in range(1, samples + 1):
        for domain in DOMAINS:
            for share in SHARES:
                other = (total * share + 50) // 100
                name = f"RQ4_BREADTH_CODE_{100 - share}_{domain}_{share}_random_sample_{sample}.jsonl"
                mixes.append(Mix(name, domain, sample, {CODE: total - other, domain: other}))
    return mixes


def chart(source: str, mixes: Sequence[Mix]) -> "Figure":
    """How many records of each domain the mixes have: a bar for each share, since all draws of it are alike."""
    looks = zip((CODE, *DOMAINS), (figures.DARK, figures.LIGHT, figures.MIDDLE), ("", "//", ".."), strict=True)
    kinds = list({(mix.series, *mix.counts.items()): mix for mix in mixes}.values())
    total = sum(kinds[0].counts.values())
    names = [CODE if mix.series is None else f"{mix.series} {mix.counts[mix.series] / total:.0%}" for mix in kinds]
    figure, plot = figures.axes(9, 4.5)
    begin = [0] * len(kinds)
    for kind, colour, hatch in looks:
        values = [mix.counts.get(kind, 0) for mix in kinds]
        plot.barh(names, values, left=begin, color=colour, hatch=hatch, edgecolor="white", label=kind)
        begin = [start + value for start, value in zip(begin, values, strict=True)]
    for row, mix in enumerate(kinds):
        text = ", ".join(f"{kind} {figures.counted(count, total)}" for kind, count in mix.counts.items())
        plot.text(total * 1.01, row, text, va="center")
    plot.invert_yaxis()
    plot.set_xlim(0, total)
    plot.set_xlabel("records")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figures.titled(plot, "Records of each domain in the mixes", source, total)
    return figure

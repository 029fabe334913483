"""Each chart draws its numbers where its axes say, and tells them apart by more than colour."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from report.charts.bars import Bar, bars
from report.charts.curves import Line, curves
from report.charts.distributions import Cloud, binned, cloud, histogram
from report.charts.intervals import Estimate, estimates
from report.charts.lineage import BOX, LineageBox, lineage

SVG = "{http://www.w3.org/2000/svg}"


def titles(svg: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}title")][1:]


def test_a_histogram_counts_every_value_once_in_its_tertile() -> None:
    pick = np.random.default_rng(0)
    values = np.sort(pick.lognormal(3, 1, 900))
    tertile = np.repeat([1, 2, 3], 300)
    for log in (False, True):
        data = binned(values, tertile, log=log)
        assert data.counts.sum(axis=1).tolist() == [300, 300, 300]
        assert (data.edges[0], data.edges[-1]) == (values[0], values[-1]) and 9 <= len(data.edges) <= 41
        for number in (1, 2, 3):
            assert data.counts[number - 1].tolist() == np.histogram(values[tertile == number], data.edges)[0].tolist()
        svg = histogram("k", "T", "D", data, "x", (20.0, 40.0), log=log)
        told = [int(re.sub(r".*: ([\d,]+) records", r"\1", one).replace(",", "")) for one in titles(svg)]
        assert told == [count for count in data.counts.sum(axis=0).tolist() if count]
        assert "middle from" in svg and "url(#k-stripes)" in svg


def test_the_bars_of_a_histogram_are_as_high_as_their_counts() -> None:
    data = binned(np.array([0.0, 0.0, 0.0, 1.0, 2.0, 2.0]), np.array([1, 1, 2, 2, 3, 3]))
    rects = [one for one in ElementTree.fromstring(histogram("k", "T", "D", data, "x")).iter(f"{SVG}rect")]
    heights = [
        (one.get("class"), float(str(one.get("height"))))
        for one in rects
        if one.get("class") and float(str(one.get("x"))) > 50
    ]
    unit = next(height for name, height in heights if name == "fill-lower") / 2
    assert {name: round(height / unit) for name, height in heights[:1] + heights[-1:]} == {
        "fill-lower": 2,
        "fill-higher": 2,
    }


def test_a_cloud_draws_the_sample_and_counts_all_in_its_cells() -> None:
    pick = np.random.default_rng(0)
    data = Cloud(
        pick.normal(size=500), pick.normal(size=500), np.arange(500) % 3 + 1, np.arange(0, 500, 10), ["<b>"] * 50
    )
    svg = cloud("k", "T", "D", data, ("x", "y"))
    assert titles(svg) == ["<b>"] * 50
    assert 'class="cell"' in svg
    everything = Cloud(data.x, data.y, data.tertile, np.arange(500), ())
    assert 'class="cell"' not in cloud("k", "T", "D", everything, ("x", "y"))


def test_bars_are_as_long_as_their_numbers() -> None:
    svg = bars("k", "T", "D", [Bar("one", (10.0, 30.0), "w"), Bar("two", (20.0, 0.0), "w")], ("a", "b"), "records")
    widths = [
        float(str(one.get("width")))
        for group in ElementTree.fromstring(svg).iter(f"{SVG}g")
        if (title := group.find(f"{SVG}title")) is not None and title.text
        for one in group.iter(f"{SVG}rect")
        if one.get("class")
    ]
    assert np.array(widths) / widths[0] == pytest.approx([1, 3, 2], abs=0.01)


def test_intervals_stand_at_their_ends_and_zero_has_a_line() -> None:
    rows = [
        Estimate("a group"),
        Estimate("a", 5.0, -5.0, 15.0, "w"),
        Estimate("b", 20.0, 10.0, 30.0, "w", True),
        Estimate("c", words="no p"),
    ]
    svg = estimates("k", "T", "D", rows, "points", zero=True)
    ends = [list(map(float, one)) for one in re.findall(r'd="M([\d.]+) [\d.]+H([\d.]+)M', svg)]
    assert len(ends) == 2
    (low, high), (other, last) = ends
    assert (other - low) / (high - low) == pytest.approx(15 / 20, abs=0.01)
    assert (last - other) == pytest.approx(high - low, abs=0.3)
    zero = float(re.findall(r'd="M([\d.]+) 8\.?0?V', svg)[-1])
    assert zero == pytest.approx(low + (high - low) / 4, abs=0.3)
    assert "no p" in svg and "fill-higher" in svg


def test_curves_differ_by_dashes_too() -> None:
    lines = [Line("r1", "T1_LOWER", 1, [(0, 3.0), (10, 1.0)]), Line("r2", "other", None, [(0, 3.0), (10, 2.0)])]
    svg = curves("k", "T", "D", lines, ("step", "loss"))
    assert 'class="stroke-lower"' in svg and "stroke-dasharray" in svg and titles(svg) == ["r1", "r2"]


def test_the_lineage_links_boxes_and_draws_an_arrow_for_each_input() -> None:
    nodes = [
        LineageBox("a", 0, ["seeds <1>"], "#s", ()),
        LineageBox("b", 1, ["made"], "#b", ("a", "nowhere")),
        LineageBox("c", 1, ["from b"], "#c", ("b",)),
    ]
    svg = lineage("k", "T", "D", nodes, ("Seeds", "Partitions"))
    assert re.findall(r'href="([^"]+)"', svg) == ["#s", "#b", "#c"]
    assert svg.count('class="head"') == 2
    across, down = re.findall(r'<path d="M([\d.]+) [\d.]+[CV]', svg)
    assert float(across) == 4 + BOX and float(down) == 4 + BOX + 40 + BOX / 2
    assert "seeds &lt;1&gt;" in svg

"""Elements whose texts are escaped, and axes with round ticks."""

from xml.etree import ElementTree

import pytest
from report.charts.svg import Axis, clipped, drawing, element, measured, number, text


def test_texts_and_attributes_are_escaped() -> None:
    made = drawing("k", '<t> & "q"', "</desc><script>", 10.0, text(1.0, 2.0, "</svg>"), element("g", title='"><x>'))
    tree = ElementTree.fromstring(made)
    assert [one.text for one in tree.iter() if one.text] == ['<t> & "q"', "</desc><script>", "</svg>"]
    assert next(tree.iter("{http://www.w3.org/2000/svg}g")).get("title") == '"><x>'
    assert tree.get("aria-labelledby") == "k-title k-desc" and tree.get("role") == "img"


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (Axis(0, 1, 0, 100), [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (Axis(-4.8, 5.2, 0, 100), [-4, -2, 0, 2, 4]),
        (Axis(0, 110_000, 0, 100), [0, 20_000, 40_000, 60_000, 80_000, 100_000]),
        (Axis(3, 700, 0, 100, log=True), [5, 10, 20, 50, 100, 200, 500]),
        (Axis(0.5, 2e6, 0, 100, log=True), [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]),
    ],
)
def test_ticks_are_round_and_inside(axis: Axis, expected: list[float]) -> None:
    assert axis.ticks() == pytest.approx(expected)


def test_an_axis_maps_its_ends_and_equal_ratios_to_equal_lengths() -> None:
    axis = Axis(1, 100, 50, 250, log=True)
    assert [axis.at(value) for value in (1, 10, 100)] == pytest.approx([50, 150, 250])
    assert Axis(2, 2, 0, 100).at(2) == 0


def test_names_are_cut_in_their_middle() -> None:
    name = "EVOL_RQ1_COMPLEXITY_T1_LOWER_seed1"
    cut = clipped(name, 120)
    assert measured(cut) <= 120 and cut.startswith("EVOL") and cut.endswith("seed1") and "…" in cut
    assert clipped("short", 120) == "short"


def test_lengths_have_one_decimal() -> None:
    assert [number(value) for value in (1.0, 1.25, -0.04)] == ["1", "1.2", "-0"]

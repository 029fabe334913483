"""Each check finds its fault: a page without any is changed in one place, and the check of that name speaks up."""

from pathlib import Path
from typing import NamedTuple

import pytest

from .conftest import Examine, sealed

pytestmark = pytest.mark.heavy


class Fault(NamedTuple):
    """`old` of the good page is replaced by `new`; then `check`, a view and a name, finds `said`."""

    check: str
    old: str
    new: str
    said: str


SCRIPT, STYLE = "<script>\n", "</style>"
ELSEWHERE = "https://example.invalid/"
FAULTS = [
    Fault("wide-light quiet", SCRIPT, f"{SCRIPT}console.error('lost');", "error: lost"),
    Fault("wide-dark quiet", SCRIPT, f"{SCRIPT}console.warn('careful');", "warning: careful"),
    Fault("phone-light quiet", SCRIPT, f"{SCRIPT}nothing.there();", "exception: nothing is not defined"),
    Fault("phone-dark quiet", SCRIPT, f"{SCRIPT}alert('look');", "a dialog: look"),
    Fault("no-scripts quiet", "<h1>", f"<h1><img alt='' src='{ELSEWHERE}'>", "Content Security Policy"),
    Fault("wide-light offline", "<h1>", f"<h1><img alt='' src='{ELSEWHERE}a.png'>", f"asked for {ELSEWHERE}a.png"),
    Fault("no-scripts offline", STYLE, f"h1 {{ background: url({ELSEWHERE}b.png); }}{STYLE}", f"asked for {ELSEWHERE}b.png"),
    Fault("wide-light offline", "<title>", f"<link rel='preconnect' href='{ELSEWHERE}'><title>", f'href="{ELSEWHERE}"'),
    Fault("wide-light offline", "<h1>", "<h1><a href='javascript:0'>go</a> ", 'a link to "javascript:0"'),
    Fault("wide-light policy", "default-src 'none'", "default-src *", "connect-src is not refused"),
    Fault("wide-light policy", "'sha256-SCRIPT'", "'unsafe-inline'", "script-src-elem is not refused"),
    Fault("wide-light policy", "form-action 'none'", "", "form-action is not refused"),
    Fault("wide-light inert", SCRIPT, f"{SCRIPT}window.hacked = 1;", "window.hacked is set"),
    Fault("wide-light inert", SCRIPT, f"{SCRIPT}document.onmousemove = () => (window.hacked = 1);", "window.hacked is set"),
    Fault("wide-light inert", "Only rows with", "Only \u202erows with", "characters that are not seen in: Only"),
    Fault("wide-light links", '"#chart"', '"#charts"', "leads nowhere: <a> To the chart: #charts"),
    Fault("no-scripts links", '<p class="tools"', '<p id="chart" class="tools"', "two elements with the id chart"),
    Fault("wide-light charts", '<desc id="what">', '<desc id="what"></desc><desc>', "without title or description"),
    Fault("wide-light charts", STYLE, f"rect {{ opacity: 0; }}{STYLE}", "Records: 0.00% of its pixels"),
    Fault("wide-dark charts", "dark) {", "dark) { rect { fill: #111; }", "Records: 0.00% of its pixels"),
    Fault("no-scripts charts", STYLE, f"svg {{ display: none; }}{STYLE}", "no chart"),
    Fault("wide-light labels", 'x="150" y="110"', 'x="20" y="110"', 'Records: "easy" and "difficult" overlap'),
    Fault("wide-light labels", 'x="150" y="110"', 'x="280" y="110"', '"difficult" is cut by the edge'),
    Fault("wide-light labels", '<text x="150"', '<g><rect x="120" y="30" width="20" height="40"/><text x="122" y="50">lost</text></g><text x="150"', '"lost" leaves its box'),
    Fault("phone-light labels", '<text x="10"', '<text font-size="6" x="10"', '"easy" is 6.0 px'),
    Fault("phone-light width", STYLE, f"table {{ width: 500px; }}{STYLE}", "px wide: <table#records>"),
    Fault("phone-light width", STYLE, f"table {{ width: 500px; }} body {{ overflow-x: hidden; }}{STYLE}", "px wide"),
    Fault("phone-light width", '<meta name="viewport"', '<meta name="other"', "the page is laid out for"),
    Fault("wide-light sorting", '"en", { numeric: true }', '"en"', "column records: not ascending"),
    Fault("wide-light sorting", "empty(a) - empty(b) || ", "", "column records: not ascending"),
    Fault("wide-light sorting", "? -1 : 1", "? 1 : 1", "column level: twice ascending"),
    Fault("wide-light sorting", "sign === 1 ?", "sign !== 1 ?", "column level: not descending"),
    Fault("wide-light sorting", "body.append", "body.rows[0].remove(); body.append", "its rows are others than before"),
    Fault("wide-light sorting", 'other.setAttribute("aria-sort", "none")', "0", "two columns say that they are sorted"),
    Fault("wide-light filtering", "!row.textContent", "!row.cells[1].textContent", "leaves hidden: <tr> easy"),
    Fault("wide-light filtering", "event.target.value.toLowerCase()", "event.target.value", '" leaves hidden'),
    Fault("wide-light filtering", 'aria-controls="records"', 'aria-controls="record"', "search: filters nothing"),
    Fault("wide-light light", "background: #fff", "background: #333", "of 255 where light is asked for"),
    Fault("wide-dark dark", "background: #111", "background: #999", "of 255 where dark is asked for"),
    Fault("no-scripts without_scripts", 'class="tools" hidden', 'class="tools"', "does nothing: <input#search>"),
    Fault("no-scripts without_scripts", SCRIPT, f"{SCRIPT}document.querySelector('h1').append(', late');", "not shown: , late"),
    Fault("wide-light print", STYLE, f"@media print {{ table {{ display: none; }} }}{STYLE}", "not in print: level"),
    Fault("wide-light print", STYLE, f"@media print {{ h1 {{ break-after: page; margin-top: 600px; }} main {{ break-before: page; }} body::before {{ content: ''; display: block; height: 1px; }} }}{STYLE}", "page 1 of 3 is empty"),
    Fault("wide-light accessible", '<html lang="en">', "<html>", "html-has-lang, 1 times"),
    Fault("phone-light accessible", "a { color: #0b57a4; }", "a { color: #aac; }", "color-contrast, 1 times"),
    Fault("wide-dark accessible", "a { color: #7fbcf5; }", "a { color: #333; }", "color-contrast, 1 times"),
]  # fmt: skip


@pytest.fixture(scope="module")
def found(examine: Examine, good_page: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, list[str]]]:
    """What is found on the good page, and then on that of each fault, in one run of the browser."""
    folder = tmp_path_factory.mktemp("pages")
    asked: list[tuple[Path, list[str]]] = [(folder / "good.html", [])]
    asked[0][0].write_text(sealed(good_page))
    for number, fault in enumerate(FAULTS):
        assert good_page.count(fault.old) == 1, fault.old
        asked.append((folder / f"{number}.html", [fault.check]))
        asked[-1][0].write_text(sealed(good_page.replace(fault.old, fault.new)))
    return examine(*asked)


def test_a_good_page_passes_every_check(found: list[dict[str, list[str]]]) -> None:
    assert {fault.check for fault in FAULTS} <= found[0].keys()
    assert {check: faults for check, faults in found[0].items() if faults} == {}


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=[f"{fault.check}: {fault.said}" for fault in FAULTS])
def test_its_fault_is_found(found: list[dict[str, list[str]]], number: int) -> None:
    assert FAULTS[number].said in "\n".join(found[number + 1][FAULTS[number].check])

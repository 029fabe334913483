"""The report of small finished folders in Chromium: every check of a page, and texts that would run if they could."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
import report_cases

from .conftest import Examine

pytestmark = pytest.mark.heavy

# each would set window.hacked, or hide what comes after it, where it is taken for markup, a script, a link or a template
HACK = "window.hacked=1"
HOSTILE = (
    f"<script>{HACK}</script>",
    f"</script><script>{HACK}</script>",
    f"</style></svg></title></desc></pre></details></table><img src=x onerror={HACK}>",
    f'" onmouseover="{HACK}" autofocus onfocus="{HACK}" x="',
    f"' onmouseover='{HACK}' tabindex='0' onfocus='{HACK}' x='",
    f"<svg onload={HACK}><animate onbegin={HACK} attributeName=x></svg>",
    f"<iframe srcdoc='<script>parent.{HACK}</script>'></iframe>",
    f"<a href=javascript:{HACK}>javascript:{HACK}</a>",
    "<meta http-equiv=refresh content=0;url=https://example.invalid/><base href=https://example.invalid/>",
    "<link rel=stylesheet href=https://example.invalid/><style>*{display:none}</style>",
    "<!-- <![CDATA[ ]]> ]]&gt; --> <plaintext> <textarea> <noscript> <template>",
    "{{ 7 * 7 }} {% raw %} {# #} ${7*7} <%= 7*7 %>",
    f"&lt;script&gt;{HACK}&lt;/script&gt; &#60;img src=x onerror={HACK}&#62; &amp;",
    "right \u202e\u2066 to left \u2069\u200f, a NUL \x00, a bell \x07, an escape \x1b[31m",
    "\\end{tabular} $\\input{/etc/passwd}$ | a | =cmd()",
)
FOLDER = f'a"><img src=x onerror={HACK}>{{{{7*7}}}}'
SOURCE = f"<img src=x onerror={HACK}>"
# the checks that a text which broke out of its place, or a very long word, could fail
WHERE_TEXT_MATTERS = (
    "wide-light inert", "wide-light quiet", "wide-light offline", "wide-light policy", "wide-light links", "wide-light labels",
    "wide-light print", "phone-light width", "phone-light labels", "no-scripts links", "no-scripts offline",
)  # fmt: skip


class Words(HTMLParser):
    """All text of a page, as a browser would show it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def test_every_check_passes_on_the_report(examine: Examine, report_page: Path) -> None:
    found = examine((report_page, []))[0]
    assert len(found) > 20
    assert {check: faults for check, faults in found.items() if faults} == {}


@pytest.fixture(scope="module")
def hostile_page(
    tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path, tiny_gpt2: Path, tiny_instructor: Path
) -> Path:
    """The report of RQ1 to RQ4 of records of which every instruction and every answer is hostile, and so the folder and the source."""
    folder = tmp_path_factory.mktemp("hostile") / FOLDER
    folder.mkdir()
    records = [
        {"id": f"{text}{number}", "instruction": f"{text} {number}", "input": "", "output": f"{text} {number}"}
        for number, text in enumerate(HOSTILE * 3)
    ]
    source = folder / "EVOL.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in records))
    models = {"llama": tiny_llama, "gpt2": tiny_gpt2, "instructor": tiny_instructor}
    made = report_cases.partitions(folder, source, models, SOURCE)
    page = tmp_path_factory.mktemp("page") / "report.html"
    report_cases.in_process("report/report.py", *made.values(), "--output", page, "--title", HOSTILE[1])
    return page


def test_hostile_texts_are_on_the_page_as_text(hostile_page: Path) -> None:
    words = "".join(Words(hostile_page.read_text()).pieces)
    for text in (*HOSTILE, FOLDER, SOURCE):
        if text.isprintable():
            assert text in words


def test_hostile_texts_run_nowhere_and_change_nothing(examine: Examine, hostile_page: Path) -> None:
    found = examine((hostile_page, list(WHERE_TEXT_MATTERS)))[0]
    assert found.keys() == set(WHERE_TEXT_MATTERS)
    assert {check: faults for check, faults in found.items() if faults} == {}

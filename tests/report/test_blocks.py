"""Tables as the page and a paper have them, and texts that others wrote."""

import csv
import io

from report.blocks import Column, DataTable, Excerpt, significant, visible

TABLE = DataTable(
    "t",
    "Scores",
    (Column("subset_name"), Column("n", "count"), Column("pass@1, %", "percent"), Column("p", "p"), Column("empty")),
    [("A & B|C_1", 1234, 0.12345, 0.00001, None), ("<x>\n{y}", 0, None, 0.5, "")],
    copies=True,
)


def test_csv_has_the_values_as_they_are() -> None:
    found = list(csv.reader(io.StringIO(TABLE.csv())))
    assert found == [
        ["subset_name", "n", "pass@1, %", "p"],
        ["A & B|C_1", "1234", "0.12345", "1e-05"],
        ["<x>\n{y}", "0", "", "0.5"],
    ]


def test_markdown_and_latex_have_them_as_the_page_shows_them() -> None:
    assert TABLE.markdown().splitlines() == [
        "| subset_name | n | pass@1, % | p |",
        "| --- | --: | --: | --: |",
        "| A & B\\|C_1 | 1,234 | 12.3 | <0.0001 |",
        "| <x> {y} | 0 |  | 0.5000 |",
    ]
    lines = TABLE.latex().splitlines()
    assert lines[0] == r"\begin{tabular}{lrrr}"
    assert lines[2] == r"subset\_name & n & pass@1, \% & p \\"
    assert lines[4] == r"A \& B|C\_1 & 1,234 & 12.3 & \textless{}0.0001 \\"
    assert lines[5] == r"\textless{}x\textgreater{} \{y\} & 0 &  & 0.5000 \\"


def test_columns_without_a_value_are_left_out() -> None:
    assert [column.name for column in TABLE.columns] == ["subset_name", "n", "pass@1, %", "p"]
    assert all(len(row) == 4 for row in TABLE.rows)


def test_significant_digits() -> None:
    shown = {0.0: "0.000", 0.012344: "0.01234", 1.5: "1.500", 191.8: "191.8", 12345.6: "12,346", -0.5: "-0.5000"}
    assert {value: significant(value) for value in shown} == shown


def test_what_is_not_seen_or_turns_others_around_is_written_as_its_number() -> None:
    assert visible("a\tb\nc é 漢 𝒳 😀") == "a\tb\nc é 漢 𝒳 😀"
    assert visible("\x00\x1b\x7f\u202e\u2066\u200f\ud800") == "\\u0000\\u001b\\u007f\\u202e\\u2066\\u200f\\ud800"
    assert visible("\U000e0001") == "\\U000e0001"


def test_a_long_text_says_how_much_is_left_out() -> None:
    assert Excerpt("", "x" * 1200).shown == "x" * 1200
    assert Excerpt("", "x" * 3201).shown == f"{'x' * 1200} … and 2,001 more characters"

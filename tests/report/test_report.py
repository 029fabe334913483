"""report.py from finished folders to the page: every figure is that of the folders, and what is wrong is one line."""

import csv
import hashlib
import json
import re
import shutil
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest
from report_cases import HOSTILE, LONG, Tables
from support import Command, reseal, rows

SCRIPT = "report/report.py"
TERTILES = ("lower", "middle", "higher")


def manifest(folder: Path, stage: str = "") -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    found = [document, *document.get("others", [])]
    return next(one for one in found if stage in ("", one["stage"]))


def table(page: Path, ending: str) -> list[dict[str, str]]:
    """The one table whose id has this ending."""
    found = [own for key, own in Tables(page.read_text()).found.items() if key.endswith(ending)]
    assert len(found) == 1, ending
    return found[0]


def close(cell: str, value: float) -> bool:
    return float(cell) == pytest.approx(value, rel=1e-12, abs=1e-12)


def test_the_command_writes_the_same_page_again(
    report_page: Path,
    partition_folders: dict[str, Path],
    study_folders: tuple[Path, Path],
    tmp_path: Path,
    script_command: Command,
) -> None:
    page = tmp_path / "again.html"
    done = script_command(SCRIPT, *partition_folders.values(), *study_folders, "--output", page)
    assert done.returncode == 0, done.stderr
    assert page.read_bytes() == report_page.read_bytes()
    assert "7 parts" in done.stderr


def test_the_page_asks_nothing_of_a_network(report_page: Path) -> None:
    text = report_page.read_text()
    outside = re.findall(r'(?:src|href|action|data|poster|srcset)="(?!#|data:,)[^"]*"', text)
    assert outside == []
    assert "url(http" not in text and "@import" not in text
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    for tag in ("style", "script"):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(inside) == 1
        digest = b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]


def test_the_script_is_short() -> None:
    from support import ROOT

    assert len((ROOT / "Code/report/templates/page.js").read_text().splitlines()) <= 200


def test_ids_are_unique_and_links_lead_somewhere(report_page: Path) -> None:
    text = report_page.read_text()
    ids = Counter(re.findall(r'\bid="([^"]+)"', text))
    assert [name for name, count in ids.items() if count > 1] == []
    assert set(re.findall(r'href="#([^"]+)"', text)) <= ids.keys()
    assert set(" ".join(re.findall(r'aria-labelledby="([^"]+)"', text)).split()) <= ids.keys()


def test_every_picture_has_title_description_and_table(report_page: Path) -> None:
    text = report_page.read_text()
    pictures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    assert len(pictures) >= 15
    for picture in pictures:
        assert len(re.findall(r"<svg.*?<title[^>]*>[^<]+</title><desc[^>]*>[^<]+</desc>", picture, re.DOTALL)) == 1
        assert picture.count("<table") == 1


def test_complexity_is_that_of_the_scores(report_page: Path, partition_folders: dict[str, Path]) -> None:
    folder = partition_folders["RQ1"]
    scored = [row for row in rows(folder / "complexity_scores.jsonl") if row["status"] == "ok"]
    for measure, name in (
        ("complexity", "complexity"),
        ("semantic", "semantic-difficulty"),
        ("linguistic", "linguistic-difficulty"),
    ):
        found = table(report_page, f"-{name}-summary")
        assert [row["tertile"] for row in found] == list(TERTILES)
        bins = table(report_page, f"-{measure}-bins")
        for number, (row, tertile) in enumerate(zip(found, TERTILES, strict=True), 1):
            values = [one[measure] for one in scored if one["tertile"] == number]
            assert int(row["n"]) == len(values) == sum(int(one[tertile]) for one in bins)
            for what, expected in (
                ("min", min(values)),
                ("mean", mean(values)),
                ("median", median(values)),
                ("max", max(values)),
            ):
                assert close(row[what], expected)
        for one in bins:
            start, end, last = float(one["from"]), float(one["to"]), one is bins[-1]
            inside = [row for row in scored if start <= row[measure] < end or (last and row[measure] == end)]
            assert sum(int(one[tertile]) for tertile in TERTILES) == len(inside)
    told = table(report_page, "-spearman")
    rho = manifest(folder)["spearman_with_complexity"]
    assert {row["measure"]: float(row["rho"]) for row in told} == rho


def test_categories_and_margins_are_those_of_the_records(report_page: Path, partition_folders: dict[str, Path]) -> None:
    records = rows(partition_folders["RQ2"] / "classified.jsonl")
    counts = Counter(row["assigned_category"] for row in records)
    for row in table(report_page, "-categories-table"):
        assert int(row["records"]) == counts[row["category"]]
        assert close(row["share, %"], counts[row["category"]] / len(records))
    for row in table(report_page, "-margins-table"):
        margins = [one["category_margin"] for one in records if one["assigned_category"] == row["category"]]
        assert int(row["n"]) == len(margins) and close(row["median"], median(margins))


def test_density_is_that_of_the_folder(report_page: Path, partition_folders: dict[str, Path]) -> None:
    folder = partition_folders["RQ3"]
    scored = rows(folder / "diversity_scores.jsonl")
    for number, row in enumerate(table(report_page, "-diversity-summary"), 1):
        values = [one["diversity"] for one in scored if one["tertile"] == number]
        assert int(row["n"]) == len(values) and close(row["max"], max(values)) and close(row["mean"], mean(values))
    spreads = manifest(folder)["spread"]
    for row, expected in zip(table(report_page, "-spread"), spreads, strict=True):
        assert close(row["mean pairwise cosine"], expected["mean_pairwise_cosine"])
        assert close(row["mean neighbour distance"], expected["mean_neighbour_distance"])
        assert close(row["Vendi score"], expected["vendi_score"])


def test_mixes_and_what_was_left_out_are_those_of_the_manifest(
    report_page: Path, partition_folders: dict[str, Path]
) -> None:
    text, made = report_page.read_text(), manifest(partition_folders["RQ4"], "RQ4_breadth")
    found = Tables(text).found
    shares = next(own for key, own in found.items() if key.startswith("RQ4-breadth") and key.endswith("-shares-table"))
    drawn = [
        ({kind: count for kind, count in mix["counts"].items() if count}, sum(mix["counts"].values()))
        for mix in made["mixes"]["files"]
    ]
    assert sum(int(row["draws"]) for row in shares) == len(drawn)
    for row in shares:
        counts = {kind: int(row[kind]) for kind in ("CODE", "GENERAL", "MATH") if int(row[kind])}
        assert (counts, int(row["records"])) in drawn
    flow = {row["output"]: row for row in found["flow-table"]}
    assert int(flow["RQ4 breadth EVOL"]["left out"]) == made["counts"]["left_out"] > 0
    assert int(flow["RQ1 complexity EVOL"]["used"]) == manifest(partition_folders["RQ1"])["counts"]["scored"]


def numbers(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_scores_and_comparisons_are_those_of_the_tables(report_page: Path, study_folders: tuple[Path, Path]) -> None:
    _, out = study_folders
    found = {row["subset"]: row for row in table(report_page, "-scores")}
    told = numbers(out / "study.csv")
    assert len(found) == len(told) == 3
    for row in told:
        shown = found[row["subset"]]
        for what in ("repeats", "pass@1", "sd", "low", "high", "problems", "of"):
            assert float(shown[{"pass@1": "pass@1, %", "of": "of the benchmark"}.get(what, what)]) == float(
                row[f"humaneval_{what}"]
            )
    pairs = {(row["first"], row["second"]): row for row in table(report_page, "-pairs")}
    for row in numbers(out / "comparisons.csv"):
        shown = pairs.pop((row["first"], row["second"]))
        for name, what in (
            ("difference, points", "difference_points"),
            ("low", "low"),
            ("high", "high"),
            ("p (Holm)", "p_holm"),
        ):
            assert float(shown[name]) == float(row[what])
        assert shown["what it says"] == ("different" if float(row["p_holm"]) < 0.05 else "not shown to differ")
    assert pairs == {}
    more = {(row["first"], row["second"]): row for row in table(report_page, "-pairs-more")}
    for row in numbers(out / "comparisons.csv"):
        shown = more[row["first"], row["second"]]
        assert float(shown["p"]) == float(row["p"]) and float(shown["low, 90%"]) == float(row["low_90"])
        assert float(shown["family_size"]) == float(row["family_size"])
    kinds = re.findall(
        r'<td class="(\w+)"[^>]*>[^<]*</td></tr>', report_page.read_text().split('-pairs-more-rows">')[1]
    )
    assert set(kinds[: len(more)]) == {"number"}, "a column of numbers is sorted as numbers"
    said = {row["what it says"] for row in table(report_page, "-pairs")}
    assert said == {"different", "not shown to differ"}, "the case shows both"


def test_verdicts_and_answers_are_those_of_the_samples(report_page: Path, study_folders: tuple[Path, Path]) -> None:
    _, out = study_folders
    for row in table(report_page, "-verdicts-humaneval-table"):
        verdicts = Counter(
            one["verdict"] for one in rows(out / row["model"] / row["name"] / "humaneval/grades/results.jsonl")
        )
        assert {name: int(row[name]) for name in ("pass", "fail")} == {
            name: verdicts[name] for name in ("pass", "fail")
        }
    text = report_page.read_text()
    assert "return 2 * n" in text and "return None" in text, "an answer that passes stands beside one that does not"


def test_a_study_in_parts_says_what_is_not_beside_it(
    study_folders: tuple[Path, Path], tmp_path: Path, script_main: Command
) -> None:
    for path in study_folders[1].iterdir():
        if path.is_file():
            (tmp_path / "tables").mkdir(exist_ok=True)
            shutil.copy(path, tmp_path / "tables")
    done = script_main(SCRIPT, tmp_path / "tables", "--output", tmp_path / "report.html")
    assert done.returncode == 0, done.stderr
    assert "Answers and verdicts of 9 of 9 results are not beside the tables" in (tmp_path / "report.html").read_text()


def test_what_is_not_final_or_not_isolated_is_said(
    study_folders: tuple[Path, Path], tmp_path: Path, script_main: Command
) -> None:
    shutil.copytree(study_folders[1], tmp_path / "out")
    document = manifest(tmp_path / "out") | {"final": False, "isolated": False}
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(document))
    assert script_main(SCRIPT, tmp_path / "out", "--output", tmp_path / "report.html").returncode == 0
    text = (tmp_path / "report.html").read_text()
    assert "Not final" in text and "WITHOUT ISOLATION" in text


def test_students_and_losses_are_those_of_the_runs(report_page: Path, study_folders: tuple[Path, Path]) -> None:
    found = {(row["subset"], row["seed"]): row for row in table(report_page, "-students")}
    curves = Counter((row["subset"], row["seed"]) for row in table(report_page, "-loss-tiny-full-RQ1-EVOL-table"))
    documents = [json.loads(path.read_text()) for path in study_folders[0].rglob("run.json")]
    assert len(documents) == len(found) == len(curves) == 9
    for run in documents:
        subset, _, seed = run["run"].removeprefix("EVOL_RQ1_COMPLEXITY_").rpartition("_seed")
        row = found[subset, seed]
        assert (int(row["records"]), int(row["steps"]), int(row["truncated"])) == (3, 5, 1)
        assert close(row["first loss"], run["loss"]["first"]) and close(row["final loss"], run["loss"]["final"])


def test_the_balance_is_that_of_the_manifests(report_page: Path, partition_folders: dict[str, Path]) -> None:
    found = {key: own for key, own in Tables(report_page.read_text()).found.items() if key.endswith("-balance-means")}
    seen = 0
    for stage, rq in (("RQ1_complexity", "RQ1"), ("RQ3_density", "RQ3"), ("RQ4_breadth", "RQ4")):
        told = manifest(partition_folders[rq], stage)["balance"]["subsets"]
        own = next(rows_ for key, rows_ in found.items() if key.startswith(stage.replace("_", "-")))
        assert [row["subset"] for row in own] == [name.removesuffix(".jsonl") for name in told]
        for row, expected in zip(own, told.values(), strict=True):
            assert int(row["records"]) == expected["records"]
            assert close(row["answer tokens"], expected["answer_tokens"]["mean"])
            seen += 1
    assert seen > 6


def test_the_lineage_says_what_was_made_from_what(report_page: Path) -> None:
    boxes = {row["what"].split(", ")[0]: row for row in table(report_page, "lineage-table")}
    assert boxes["RQ2 mixes EVOL"]["made from"] == "RQ2 categories EVOL"
    assert boxes["RQ1 complexity EVOL"]["made from"] == boxes["RQ3 density EVOL"]["made from"] == "EVOL.jsonl"
    assert boxes["RQ4 breadth EVOL"]["made from"] == "EVOL.jsonl, general.jsonl, math.jsonl"
    assert boxes["Evaluation"]["made from"] == "tiny-full"


def test_the_methods_name_data_models_and_hardware(report_page: Path) -> None:
    text = report_page.read_text()
    methods = text[text.index('<section id="methods"') :]
    for words in (
        "records, EVOL.jsonl (sha256 ",
        "independent draws (seed 42)",
        "2 processors (x86_64), no GPU",
        "the seeds 1, 2, 3",
    ):
        assert words in methods


class Texts(HTMLParser):
    """What a reader sees of a page, and every element and attribute of it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_hostile_texts_are_shown_as_text(report_page: Path) -> None:
    page = report_page.read_text()
    seen = Texts(page)
    assert seen.elements["script"] == 1 and seen.elements["img"] == 0 and seen.elements["style"] == 1
    assert not {name for name in seen.attributes if name.startswith("on")}
    assert not re.search(r"""(?:href|src)\s*=\s*["']?javascript:""", page)
    told = "".join(seen.text)
    assert HOSTILE[0] in told and HOSTILE[2] in told
    assert "before \\u202e\\u2066 turned \\u2069 and \\u0000 \\u0007 \\u001b[31m ends" in told
    assert not set("\u202e\u2066\u2069\x00\x07\x1b") & set(page)
    assert f"… and {len(LONG) - 1200:,} more characters" in told and "x" * 2000 not in page
    assert len(page) < 1_000_000


def test_a_hostile_folder_name_and_source_are_text(
    tmp_path: Path, partition_folders: dict[str, Path], script_main: Command
) -> None:
    folder = tmp_path / "a<script>b\u202e{{7*7}}&\"'"
    shutil.copytree(partition_folders["RQ1"], folder)
    document = manifest(folder) | {"source": "<b>E & \u202eV</b>"}
    (folder / "manifest.json").write_text(json.dumps(document))
    done = script_main(SCRIPT, folder, "--output", tmp_path / "report.html", "--title", "<i>T</i>")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report.html").read_text()
    seen = Texts(page)
    assert seen.elements["b"] == seen.elements["i"] == 0 and seen.elements["script"] == 1
    assert "<b>E & \\u202eV</b>" in "".join(seen.text) and "a<script>b\\u202e{{7*7}}" in "".join(seen.text)
    assert "\u202e" not in page


def refused(script_main: Command, *flags: object) -> str:
    done = script_main(SCRIPT, *flags)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") or "\nerror: " in done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def copies(partition_folders: dict[str, Path], tmp_path: Path) -> Iterator[Path]:
    while True:
        folder = tmp_path / f"copy{len(list(tmp_path.iterdir()))}"
        shutil.copytree(partition_folders["RQ1"], folder)
        yield folder


def test_what_cannot_be_shown_is_one_line(
    tmp_path: Path, partition_folders: dict[str, Path], script_main: Command
) -> None:
    some, page = copies(partition_folders, tmp_path), tmp_path / "report.html"
    unfinished = next(some)
    (unfinished / "manifest.json").unlink()
    assert "the folder is unfinished" in refused(script_main, unfinished, "--output", page)
    tampered = next(some)
    with (tampered / "complexity_scores.jsonl").open("ab") as file:
        file.write(b"\n")
    assert "expected a folder as its manifest says" in refused(script_main, tampered, "--output", page)
    missing = next(some)
    (missing / "complexity_histogram.png").unlink()
    assert "it is not there" in refused(script_main, missing, "--output", page)
    twice = next(some)
    message = refused(script_main, twice, partition_folders["RQ1"], "--output", page)
    assert "RQ1_complexity EVOL is also in" in message and "expected one folder of each" in message
    other = next(some)
    (other / "complexity_scores.jsonl").write_text('{"id": 1}\n')
    reseal(other)
    assert "expected a line of ComplexityRow" in refused(script_main, other, "--output", page)
    lacking = next(some)
    document = manifest(lacking)
    del document["tertiles"]
    (lacking / "manifest.json").write_text(json.dumps(document))
    assert "expected what RQ1_complexity writes" in refused(script_main, lacking, "--output", page)
    assert "got none" in refused(script_main, tmp_path / "nowhere", "--output", page)
    assert not page.exists()


def test_two_evaluations_of_the_same_students_are_refused(
    tmp_path: Path, study_folders: tuple[Path, Path], script_main: Command
) -> None:
    shutil.copytree(study_folders[1], tmp_path / "again")
    message = refused(script_main, study_folders[1], tmp_path / "again", "--output", tmp_path / "report.html")
    assert "evaluate_study tiny-full EVOL_RQ1_COMPLEXITY_T1_LOWER_seed1 humaneval is also in" in message


def test_verdicts_of_other_answers_are_refused(
    tmp_path: Path, study_folders: tuple[Path, Path], script_main: Command
) -> None:
    out = tmp_path / "out"
    shutil.copytree(study_folders[1], out)
    grades = next(out.glob("*/*/humaneval/grades"))
    path = grades / "results.jsonl"
    path.write_text(path.read_text().replace('"pass"', '"fail"').replace("0.", "1."))
    reseal(grades)
    assert "expected the verdicts that the tables were made of" in refused(
        script_main, out, "--output", tmp_path / "r.html"
    )


def test_no_other_file_is_replaced(tmp_path: Path, partition_folders: dict[str, Path], script_main: Command) -> None:
    notes = tmp_path / "notes.html"
    notes.write_text("<!doctype html>\n<p>mine</p>")
    assert "expected a new file or an earlier page" in refused(script_main, partition_folders["RQ1"], "--output", notes)
    assert notes.read_text().endswith("mine</p>")
    page = tmp_path / "report.html"
    for title in ("one", "two"):
        assert script_main(SCRIPT, partition_folders["RQ1"], "--output", page, "--title", title).returncode == 0
    assert "<h1>two</h1>" in page.read_text()


def test_another_stage_has_a_part_too(tmp_path: Path, script_main: Command) -> None:
    from seedkit.manifest import OutputFolder

    with OutputFolder(tmp_path / "out", "tidying", ("a.jsonl",), sources=[]) as folder:
        folder.write("a.jsonl", [b"{}\n", b"{}\n"])
        folder.finish({"source": "EVOL", "counts": {"kept": 2}})
    assert script_main(SCRIPT, tmp_path / "out", "--output", tmp_path / "report.html").returncode == 0
    assert [(row["file"], row["lines"]) for row in table(tmp_path / "report.html", "-files")] == [("a.jsonl", "2")]


def test_what_the_doctor_predicts(tmp_path: Path, partition_folders: dict[str, Path], script_main: Command) -> None:
    diagnoses = tmp_path / "diagnoses.jsonl"
    told = [
        {"file": "a.jsonl", "line": n, "status": status, "answer_tokens_lost": n}
        for n, status in enumerate(("trains", "trains", "truncated", "dropped"))
    ]
    diagnoses.write_text("".join(json.dumps(row) + "\n" for row in told))
    flags = [partition_folders["RQ1"], "--diagnoses", diagnoses, "--output", tmp_path / "report.html"]
    assert script_main(SCRIPT, *flags).returncode == 0
    found = next(
        own for key, own in Tables((tmp_path / "report.html").read_text()).found.items() if key.startswith("diagnoses")
    )
    assert [found[0][name] for name in ("trains", "truncated", "dropped", "tokens of answers lost")] == [
        "2",
        "1",
        "1",
        "6",
    ]

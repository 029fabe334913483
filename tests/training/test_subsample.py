"""subsample.py: random parts of the tertiles, as draws that train.py and the table know."""

import json
from pathlib import Path

import numpy as np
import pytest
from evaluation.study.students import parsed
from evaluation.study_plan_steps import proposed, subsets_of
from seedkit.verify import verify
from support import Command, contents
from training.planned_runs import subsets
from training.study_plan import Contrast

SCRIPT = "training/subsample.py"
TERTILES = ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER")


@pytest.fixture(scope="module")
def tertiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished folder of RQ1, of made-up records."""
    from seedkit.manifest import OutputFolder
    from seedkit.records import json_lines

    folder = tmp_path_factory.mktemp("rq1") / "EVOL"
    names = [f"RQ1_COMPLEXITY_{tertile}.jsonl" for tertile in TERTILES]
    with OutputFolder(folder, "RQ1_complexity", [*names, "complexity_scores.jsonl"], sources=[]) as output:
        for name in names:
            rows = [{"id": f"{name}{n}", "instruction": f"add {n}", "input": "", "output": "x"} for n in range(25)]
            output.write(name, json_lines(rows))
        output.write("complexity_scores.jsonl", json_lines([{"id": "a"}]))
        output.finish({"source": "EVOL"})
    return folder


def test_draws_of_every_tertile(tmp_path: Path, tertiles: Path, script_main: Command) -> None:
    out = tmp_path / "out"
    done = script_main(SCRIPT, "--partition", tertiles, "--output_dir", out)
    assert done.returncode == 0, done.stderr
    names = [f"RQ1_COMPLEXITY_{tertile}_subsample_{draw}.jsonl" for tertile in TERTILES for draw in (1, 2, 3)]
    assert sorted(path.name for path in out.iterdir()) == sorted([*names, "manifest.json"])
    assert verify(out) == []
    drawn = {name: (out / name).read_bytes().splitlines() for name in names}
    for name, lines in drawn.items():
        whole = (tertiles / f"{name.partition('_subsample')[0]}.jsonl").read_bytes().splitlines()
        assert len(lines) == 20
        assert [line for line in whole if line in set(lines)] == lines  # as they are, in the input's order
    assert len({tuple(json.loads(line)["instruction"] for line in lines) for lines in drawn.values()}) == 9
    # what train.py makes of it, what a plan proposes, and what the table knows
    found = subsets([out], "*", None, 2048)
    assert [subset.name for subset in found] == [f"EVOL_SUBSAMPLED_{name.removesuffix('.jsonl')}" for name in names]
    stem = names[1].removesuffix(".jsonl")
    assert parsed(f"{found[1].name}_seed42", stem, 42) == ("RQ1", "EVOL_SUBSAMPLED", "T1_LOWER", 2)
    assert proposed(subsets_of(out)) == [Contrast("RQ1", "EVOL_SUBSAMPLED", "T1_LOWER", "T3_HIGHER")]

    before = contents(out)
    assert script_main(SCRIPT, "--partition", tertiles, "--output_dir", out).returncode == 0
    assert contents(out) == before
    other = script_main(SCRIPT, "--partition", tertiles, "--output_dir", out, "--seed", 1)
    assert other.returncode == 2 and "of another run, arguments.seed: 42 there, 1 here" in other.stderr
    assert contents(out) == before
    # draws of a draw are none of the whole subset
    again = script_main(SCRIPT, "--partition", out, "--output_dir", tmp_path / "again")
    assert (
        again.returncode == 2
        and "expected subsets of one source with one draw each, such as tertiles, got none" in again.stderr
    )


@pytest.mark.parametrize("share", [0, 1, 1.5, "x"])
def test_a_share_that_is_none(tmp_path: Path, tertiles: Path, script_main: Command, share: object) -> None:
    done = script_main(SCRIPT, "--partition", tertiles, "--output_dir", tmp_path / "out", "--share", share)
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert "--share: expected a " in done.stderr


def test_too_few_records_and_a_damaged_folder(tmp_path: Path, tertiles: Path, script_main: Command) -> None:
    done = script_main(SCRIPT, "--partition", tertiles, "--output_dir", tmp_path / "out", "--share", 0.01)
    assert done.returncode == 2 and "expected records for --share 0.01, got 25" in done.stderr
    assert not (tmp_path / "out").exists()
    missing = script_main(SCRIPT, "--partition", tmp_path, "--output_dir", tmp_path / "out")
    assert missing.returncode == 2 and "no such file; the folder is unfinished" in missing.stderr


def test_how_much_of_the_choice_of_records_draws_show() -> None:
    """README.md: among draws of a share f the mean varies by (1 - f) / f of what it varies among whole sets: f = 0.8, a quarter."""
    rng = np.random.default_rng(0)
    among, between = [], []
    for _ in range(2000):
        records = rng.standard_normal(100)
        draws = [rng.permutation(records)[:80].mean() for _ in range(3)]
        among.append(np.var(draws, ddof=1))
        between.append(records.mean())
    assert np.mean(among) / np.var(between) == pytest.approx(0.25, rel=0.1)

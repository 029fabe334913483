import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seedkit.verify import verify
from support import ROOT, Command, contents, killed, reseal, rows

SCRIPT = "baselines/baseline_subsets.py"
SAMPLE = ROOT / "Datas" / "sample" / "EVOL.jsonl"
RANDOM = [f"BASELINE_RANDOM_random_sample_{number}.jsonl" for number in (1, 2, 3)]


def ids(path: Path) -> list[str]:
    return [row["id"] for row in rows(path)]


def run(script_main: Command, out: Path, *flags: object, data: Path = SAMPLE) -> str:
    done = script_main(SCRIPT, "--input_file", data, "--output_dir", out, "--device", "cpu", *flags)
    assert done.returncode == 0, done.stderr
    assert verify(out) == []
    return done.stdout


@pytest.fixture
def knowledge(tmp_path: Path) -> dict[str, Any]:
    """RQ1's scores and RQ3's embeddings of the sample, in another order, with one record without each."""
    names = ids(SAMPLE)
    pick = np.random.default_rng(2)
    vectors = pick.normal(size=(len(names), 12)).astype(np.float32)
    vectors[60:] = vectors[: len(names) - 60] + 0.02 * pick.normal(size=(len(names) - 60, 12)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[7] = np.nan
    semantic = pick.uniform(0, 5, size=len(names)).round(3)
    order = pick.permutation(len(names))
    scores = [
        {"id": names[row], "semantic": None if row == 9 else semantic[row], "complexity": 0.0} for row in order.tolist()
    ]
    (tmp_path / "complexity_scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in scores))
    np.save(tmp_path / "embeddings.npy", vectors[order])
    (tmp_path / "embeddings.json").write_text(json.dumps({"ids": [names[row] for row in order.tolist()]}))
    flags = ("--complexity_scores", tmp_path / "complexity_scores.jsonl", "--embeddings", tmp_path / "embeddings.npy")
    return {"flags": ("--method", "quality_diversity", *flags), "semantic": semantic, "vectors": vectors, "ids": names}


def test_the_command_writes_what_it_says(tmp_path: Path, script_command: Command, tiny_gpt2: Path) -> None:
    out = tmp_path / "out"
    flags = ("--input_file", SAMPLE, "--output_dir", out, "--perplexity_model", tiny_gpt2, "--max_failure_rate", "0.3")
    done = script_command(SCRIPT, *flags)
    assert done.returncode == 0, done.stderr
    assert verify(out) == []
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["source"] == "EVOL"
    assert list(manifest["chosen"]["files"]) == [
        *RANDOM,
        *(f"BASELINE_{n}.jsonl" for n in ("LONGEST", "SHORTEST", "IFD")),
    ]
    assert manifest["models"]["ifd"]["dtype"] == "float32"
    assert "BASELINE_LONGEST.jsonl" in done.stdout
    lengths = {name: row["answer_tokens"]["mean"] for name, row in manifest["balance"]["subsets"].items()}
    assert lengths["BASELINE_LONGEST.jsonl"] > lengths[RANDOM[0]] > lengths["BASELINE_SHORTEST.jsonl"]
    assert "answer tokens" in done.stdout.split("WARNING: standardised mean differences above 0.25")[1]


def test_random_subsets_are_prefixes_of_one_order_and_independent_of_each_other(
    tmp_path: Path, script_main: Command
) -> None:
    for size in ("12", "0.25", "tertile"):
        run(script_main, tmp_path / size, "--method", "random", "--size", size)
    few, quarter, third = ([ids(tmp_path / size / name) for name in RANDOM] for size in ("12", "0.25", "tertile"))
    assert [len(names) for names in (*few, *quarter, *third)] == [12] * 3 + [30] * 3 + [40] * 3
    for small, middle, large in zip(few, quarter, third, strict=True):
        assert small == middle[:12] == large[:12]
        assert middle == large[:30]
    pairs = [len(set(third[one]) & set(third[other])) for one, other in ((0, 1), (0, 2), (1, 2))]
    assert all(5 <= common <= 22 for common in pairs)  # 13.3 expected, standard deviation 2.4
    run(script_main, tmp_path / "more", "--method", "random", "--num_samples", 4)
    assert [ids(tmp_path / "more" / name) for name in RANDOM] == third
    run(script_main, tmp_path / "seed", "--method", "random", "--seed", 1)
    assert ids(tmp_path / "seed" / RANDOM[0]) != third[0]
    run(script_main, tmp_path / "again", "--method", "random")
    assert contents(tmp_path / "again") == contents(tmp_path / "tertile")


def test_longest_and_shortest_go_by_the_answers_tokens(tmp_path: Path, script_main: Command) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "out"
    lengths = [3, 900, 5, 0, 700, 5, 5, 1]
    data.write_text(
        "".join(
            json.dumps({"id": f"r{n}", "instruction": "Say.", "output": " go" * k}) + "\n"
            for n, k in enumerate(lengths)
        )
    )
    run(script_main, out, "--method", "longest", "shortest", "--size", 3, data=data)
    assert ids(out / "BASELINE_LONGEST.jsonl") == ["r1", "r2", "r4"]  # r5 and r6 are as long as r2, which comes first
    assert ids(out / "BASELINE_SHORTEST.jsonl") == ["r0", "r3", "r7"]
    tokens = [row["answer_tokens"] for row in rows(out / "baseline_scores.jsonl")]
    assert tokens[3] == 0
    assert tokens[1] > 512 and tokens[1] > tokens[4] > tokens[0]


def test_ifd_takes_the_highest_below_one(tmp_path: Path, script_main: Command, tiny_gpt2: Path) -> None:
    flags = ("--method", "ifd", "--perplexity_model", tiny_gpt2, "--max_failure_rate", "0.3")
    told = run(script_main, tmp_path / "all", *flags, "--size", "0.9")
    values = {row["id"]: row["ifd"] for row in rows(tmp_path / "all" / "baseline_scores.jsonl")}
    useful = sorted(
        (id_ for id_, value in values.items() if value is not None and value < 1), key=lambda id_: -values[id_]
    )
    assert 10 < len(useful) < 108
    assert set(ids(tmp_path / "all" / "BASELINE_IFD.jsonl")) == set(useful)
    assert f"only {len(useful)} records have an IFD below 1" in told
    run(script_main, tmp_path / "few", *flags, "--size", 10)
    assert set(ids(tmp_path / "few" / "BASELINE_IFD.jsonl")) == set(useful[:10])


def test_an_empty_answer_has_no_ifd_and_fails_nothing(tmp_path: Path, script_main: Command, tiny_gpt2: Path) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "out"
    outputs = ["def add(a, b): return a + b", "  ", "sorted(x)", "print(1)"]
    data.write_text("".join(json.dumps({"instruction": f"Do {text}.", "output": text}) + "\n" for text in outputs))
    run(script_main, out, "--method", "ifd", "--perplexity_model", tiny_gpt2, "--size", 1, data=data)
    row = rows(out / "baseline_scores.jsonl")[1]
    assert (row["ifd"], row["reasons"]) == (None, {"ifd": "the answer is empty"})
    data.write_text(data.read_text() + json.dumps({"instruction": "word " * 3000, "output": "an answer"}) + "\n")
    flags = ("--input_file", data, "--output_dir", tmp_path / "two", "--device", "cpu", "--method", "ifd")
    done = script_main(SCRIPT, *flags, "--perplexity_model", tiny_gpt2)
    assert done.returncode == 1
    assert f"{data}:5: ifd: the prompt has 512 tokens, which leaves no room for the answer; 1 of 5" in done.stderr


def test_complexity_diversity_takes_the_most_complex_that_are_far_apart(
    tmp_path: Path, script_main: Command, knowledge: dict[str, Any]
) -> None:
    out = tmp_path / "out"
    run(script_main, out, *knowledge["flags"], "--quality", "none", "--size", 70, "--min_distance", "0.05")
    semantic, vectors, names = (knowledge[key] for key in ("semantic", "vectors", "ids"))
    expected: list[int] = []
    for row in sorted(range(len(names)), key=lambda row: -semantic[row]):
        near = max((float(vectors[row].astype(float) @ vectors[other]) for other in expected), default=-1.0)
        if row not in (7, 9) and near <= 0.95 and len(expected) < 70:
            expected.append(row)
    assert 50 < len(expected) <= 70
    assert ids(out / "BASELINE_COMPLEXITY_DIVERSITY.jsonl") == [names[row] for row in expected]
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["further_inputs"]) == {"complexity_scores.jsonl", "embeddings.npy", "embeddings.json"}


def test_quality_multiplies_complexity(
    tmp_path: Path, script_main: Command, knowledge: dict[str, Any], tiny_llama: Path
) -> None:
    data, out = tmp_path / "short.jsonl", tmp_path / "out"
    short = [{**row, "instruction": row["instruction"][:60], "output": row["output"][:60]} for row in rows(SAMPLE)]
    data.write_text("".join(json.dumps(row) + "\n" for row in short))
    run(script_main, out, *knowledge["flags"], "--quality_model", tiny_llama, data=data)
    found = rows(out / "baseline_scores.jsonl")
    semantic = dict(zip(knowledge["ids"], knowledge["semantic"], strict=True))
    assert found[9]["evol_score"] is None
    scored = [row for row in found if row["quality"] is not None and row["evol_score"] is not None]
    assert len(scored) == 119
    assert [row["evol_score"] for row in scored] == pytest.approx(
        [(semantic[row["id"]] + 1) * (row["quality"] + 1) for row in scored]
    )
    assert json.loads((out / "manifest.json").read_text())["models"]["quality"]["scorer"] == "custom"


def test_killed_it_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, script_main: Command, tiny_gpt2: Path) -> None:
    flags = ("--perplexity_model", tiny_gpt2, "--max_failure_rate", "0.3", "--max_batch_tokens", 600)
    run(script_main, tmp_path / "whole", *flags)
    out = tmp_path / "out"
    command = [SCRIPT, "--input_file", SAMPLE, "--output_dir", out, "--device", "cpu", *flags]
    killed(
        [sys.executable, str(ROOT / "Code" / SCRIPT), *map(str, command[1:])],
        begun=lambda: any(path.read_bytes().count(b"\n") > 1 for path in out.glob(".scores/*.jsonl")),
    )
    assert not (out / "manifest.json").exists()
    run(script_main, out, *flags)
    assert contents(out) == contents(tmp_path / "whole")


def test_verify_sees_a_subset_that_is_not_what_its_method_chooses(tmp_path: Path, script_main: Command) -> None:
    out = tmp_path / "out"
    run(script_main, out, "--method", "random", "longest", "shortest", "--size", 20)
    names = [path.name for path in out.glob("BASELINE_*.jsonl")]
    assert len(names) == 5
    for name in names:
        before = contents(out)
        lines = (out / name).read_text().splitlines(keepends=True)
        (out / name).write_text("".join(lines[1:]))
        reseal(out)
        assert any(name in fault for fault in verify(out))
        for file, data in before.items():
            (out / file).write_bytes(data)
    longest, scores = out / "BASELINE_LONGEST.jsonl", out / "baseline_scores.jsonl"
    shortest_id = ids(out / "BASELINE_SHORTEST.jsonl")[0]
    swapped = ids(longest)[0]
    other = next(row for row in rows(SAMPLE) if row["id"] == shortest_id)
    longest.write_text("".join(json.dumps(other if row["id"] == swapped else row) + "\n" for row in rows(longest)))
    for row in (found := rows(scores)):
        row["in"] = [name for name in row["in"] if name != longest.name]
        row["in"] += [longest.name] * (row["id"] in ids(longest))
    scores.write_text("".join(json.dumps(row) + "\n" for row in found))
    reseal(out)
    assert any("with a better answer_tokens are not in it" in fault for fault in verify(out))


def test_other_methods_into_the_same_folder_replace_nothing_unasked(tmp_path: Path, script_main: Command) -> None:
    run(script_main, tmp_path, "--method", "random")
    before = contents(tmp_path)
    flags = ("--input_file", SAMPLE, "--output_dir", tmp_path, "--device", "cpu", "--method", "longest")
    refused = script_main(SCRIPT, *flags)
    assert refused.returncode == 2
    assert "of another run, arguments.method" in refused.stderr
    assert contents(tmp_path) == before
    assert script_main(SCRIPT, *flags, "--overwrite").returncode == 0


def test_usage_errors_are_one_line_and_exit_code_2(
    tmp_path: Path, script_main: Command, knowledge: dict[str, Any], tiny_gpt2: Path
) -> None:
    scores, embeddings = knowledge["flags"][3], knowledge["flags"][5]
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "x", "semantic": 1.0}\n')
    odd = tmp_path / "odd.jsonl"
    odd.write_text('{"id": "x"}\n')
    wanted = ("--method", "quality_diversity")
    for arguments, message in (
        (["--size", "0"], "expected tertile, a number of records, or a share"),
        (["--size", "1.5"], "expected tertile, a number of records, or a share"),
        (["--size", "121"], "120 records, expected at least --size 121"),
        (["--method", "random", "random"], "expected each method once"),
        (["--method", "best"], "invalid choice"),
        ([*wanted], "expected --complexity_scores FILE with it"),
        ([*wanted, "--complexity_scores", scores], "expected --embeddings FILE with it"),
        (["--embeddings", embeddings], "only quality_diversity reads it"),
        ([*wanted, "--complexity_scores", other, "--embeddings", embeddings], "120 of 120 records are not in it"),
        ([*wanted, "--complexity_scores", odd, "--embeddings", embeddings], f"{odd}:1: expected a row of RQ1"),
        ([*wanted, "--complexity_scores", scores, "--embeddings", scores], "expected RQ3's embeddings.npy"),
        ([*wanted, "--complexity_scores", tmp_path / "no", "--embeddings", embeddings], "cannot be read: No such file"),
        ([*knowledge["flags"], "--quality", "none", "--quality_model", tiny_gpt2], "contradict each other"),
        ([*knowledge["flags"], "--quality_model", tmp_path / "none"], "no such folder, and not to be had"),
        (["--perplexity_model", tmp_path / "none"], "no such folder, and not to be had"),
        (["--input_file", tmp_path / "none.jsonl"], "no such file"),
    ):
        out = tmp_path / "out"
        result = script_main(SCRIPT, "--input_file", SAMPLE, "--output_dir", out, "--device", "cpu", *arguments)
        assert result.returncode == 2, (arguments, result.stderr)
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
        assert not out.exists()

"""Every script of RQ2 to RQ4 on real data beside the repository, with the embedded encoder: finished and verified.

Models read the first ENCODED records of a file; whatever needs none reads all of it.
"""

import json
from pathlib import Path

import pytest
from seedkit.verify import verify
from support import Command, rows

FILES = {"EVOL": ("evol_instruct_code.jsonl", 5936), "OSS": ("codealpaca_oss_schema.jsonl", 6552)}
ENCODED = 1900  # the second empty output of both is record 1,860


def run(command: Command, *arguments: object) -> None:
    result = command(*arguments, timeout_s=1200)
    assert result.returncode == 0, result.stderr


@pytest.mark.heavy
@pytest.mark.parametrize("source", FILES)
def test_all_scripts_finish_verified(tmp_path: Path, shared_data: Path, script_command: Command, source: str) -> None:
    name, count = FILES[source]
    seeds = shared_data / "seeds"
    common = ["--input_file", seeds / name, "--source_name", source]
    machine = ["--embedder", "minilm", "--device", "cpu", "--limit", ENCODED]
    rq2, rq3, rq4 = (tmp_path / question for question in ("RQ2", "RQ3", "RQ4"))
    run(
        script_command,
        "RQ2_composition/task_classifier.py",
        *common,
        *machine,
        "--output_file",
        rq2 / "classified.jsonl",
    )
    mixer = ["RQ2_composition/composition_mixer.py", "--input_file", rq2 / "classified.jsonl", "--output_dir", rq2]
    refused = script_command(*mixer)
    assert refused.returncode == 2
    assert "too few for --subset_size 20000; the largest that works" in refused.stderr
    run(script_command, *mixer, "--subset_size", "auto")
    run(script_command, "RQ3_density/diversity_scorer.py", *common, *machine, "--output_dir", rq3)
    others = ["--general_file", seeds / "alpaca_9k.jsonl", "--math_file", seeds / "math_standin.json"]
    run(script_command, "RQ4_breadth/domain_mixer.py", *common, *others, "--output_dir", rq4)
    for folder in (rq2, rq3, rq4):
        assert verify(folder) == []
    assert len(rows(rq2 / "classified.jsonl")) == len(rows(rq3 / "diversity_scores.jsonl")) == ENCODED
    assert len(rows(rq4 / "RQ4_BREADTH_CODE_70_MATH_30_random_sample_3.jsonl")) == count
    kept = json.loads((rq4 / "manifest.json").read_text())["counts"]
    assert kept["MATH"] > 0.9 * 10201  # the records of math_standin.json that are no programs

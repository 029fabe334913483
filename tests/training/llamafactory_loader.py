"""What LLaMA-Factory really does with each record: run in its own environment, cases from stdin, answers to stdout.

A case is {"file", "tokenizer", "template", "cutoff_len"}; its answer {"error"} or {"records", "trained"}: for each record
None if it was dropped, else what the trainer gets of it: the length of the input, and how many labels are trained on.
"""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any


def load(case: dict[str, Any], work: Path) -> dict[str, Any]:
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.data.loader import _get_dataset_processor, _get_merged_dataset
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    path = Path(case["file"])
    columns = {"prompt": "instruction", "query": "input", "response": "output"}
    (path.parent / "dataset_info.json").write_text(
        json.dumps({"data": {"file_name": path.name, "columns": case.get("columns", columns)}})
    )
    settings = {
        "model_name_or_path": case["tokenizer"],
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full",
        "dataset": "data",
        "dataset_dir": str(path.parent),
        "cutoff_len": case["cutoff_len"],
        "report_to": "none",
        "output_dir": str(work / "out"),
        "cache_dir": str(work / "cache"),
        "use_cpu": True,
        "overwrite_cache": True,
    }
    if case["template"]:
        settings["template"] = case["template"]
    model_args, data_args, training_args, _, _ = get_train_args(settings)
    modules = load_tokenizer(model_args)
    template = get_template_and_fix_tokenizer(modules["tokenizer"], data_args)
    common = (model_args, data_args, training_args, "sft")
    trained = get_dataset(template, *common, **modules)["train_dataset"]
    aligned = _get_merged_dataset(data_args.dataset, *common)
    processor = _get_dataset_processor(data_args, "sft", template, **modules)
    records: list[dict[str, int] | None] = []
    kept = 0
    for row in range(len(aligned)):
        one = processor.preprocess_dataset(aligned[row : row + 1])
        if not one:
            records.append(None)
            continue
        # the record alone is what stands in the trainer's own data under this index
        assert one["input_ids"][0] == trained[kept]["input_ids"]
        assert one["labels"][0] == trained[kept]["labels"]
        kept += 1
        labels = one["labels"][0]
        records.append({"input": len(labels), "trained": sum(label != -100 for label in labels)})
    assert kept == len(trained)
    return {"records": records}


def main() -> None:
    work = Path(sys.argv[1])
    cases = json.load(sys.stdin)
    answers = []
    for case in cases:
        with contextlib.redirect_stdout(sys.stderr):
            try:
                answers.append(load(case, work))
            except Exception as error:  # noqa: BLE001 whatever ends the trainer's loading is the answer
                answers.append({"error": f"{type(error).__name__}: {error}"})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()

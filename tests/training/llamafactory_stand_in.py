"""What `llamafactory-cli train` leaves, without training: fast, and it can be made to fail, to lose a record or to hang.

The variable STAND_IN says what goes wrong with which data sets: fail=LOW, lose=LOW, nan=LOW, slow=LOW or hang=LOW, where LOW is a part
of the data set's name. In the run's folder it writes `calls`, a line for every start, and started.json.
"""

import json
import os
import sys
import time
from pathlib import Path

import yaml  # type: ignore[import-untyped]


def main() -> None:
    settings = yaml.safe_load(Path(sys.argv[2]).read_text())
    name, folder, model = settings["dataset"], Path(settings["dataset_dir"]), Path(settings["output_dir"])
    info = json.loads((folder / "dataset_info.json").read_text())[name]
    fault, _, affected = os.environ.get("STAND_IN", "").partition("=")
    faults = {fault} if affected and affected in name else set()
    model.mkdir(exist_ok=True)
    with open(folder / "calls", "a") as calls:
        calls.write(f"{sorted(path.name for path in model.iterdir())}\n")
    variables = ("FORCE_TORCHRUN", "NPROC_PER_NODE", "CUDA_VISIBLE_DEVICES", "TORCH_CUDNN_SDPA_DEPRIORITIZED")
    (folder / "started.json").write_text(json.dumps({variable: os.environ.get(variable) for variable in variables}))
    if "fail" in faults:
        sys.exit("CUDA out of memory, says the stand-in")
    if "slow" in faults:
        time.sleep(2.5)
    records = Path(info["file_name"]).read_bytes().count(b"\n") - ("lose" in faults)
    print(f"[INFO] Num examples = {records:,}", file=sys.stderr)
    steps = settings["max_steps"]
    with open(model / "trainer_log.jsonl", "a") as log:
        for step in range(1, steps + 1):
            loss = float("nan") if "nan" in faults else 8.0 - step / steps
            log.write(json.dumps({"current_steps": step, "total_steps": steps, "loss": loss}) + "\n")
    checkpoint = model / f"checkpoint-{steps}"
    checkpoint.mkdir(exist_ok=True)
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": steps}))
    if "hang" in faults:
        time.sleep(60)
    if "slow" in faults:
        time.sleep(3.5)
    (model / "trainer_state.json").write_text(json.dumps({"global_step": steps}))
    (model / "train_results.json").write_text(json.dumps({"epoch": 3.0, "train_loss": 7.5}))
    (model / "model.safetensors").write_bytes(b"weights" * 10)


if __name__ == "__main__":
    main()

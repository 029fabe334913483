"""Every preset has what training needs, its source and its licence."""

import pytest
from training import presets


@pytest.mark.parametrize("finetuning", presets.FINETUNING)
def test_every_preset_is_whole(finetuning: str) -> None:
    assert len(presets.names()) == 7
    for name in presets.names():
        student = presets.student(name, finetuning)
        assert student.settings["cutoff_len"] == 2048
        assert student.settings["num_train_epochs"] == 3.0
        assert student.settings["lr_scheduler_type"] == "cosine"
        assert ("lora_rank" in student.settings) == (finetuning == "lora")
        text = (presets.FOLDER / f"{name}.yaml").read_text()
        assert f"https://huggingface.co/{student.model}\n# Licence: " in text
        size = name.rpartition("-")[2]
        unit = {"b": 1e9, "m": 1e6}[size[-1]]
        assert float(size[:-1]) == pytest.approx((student.parameters or 0) / unit, rel=0.1)

"""Every preset has what training needs, its source and its licence."""

import pytest
from training import presets


@pytest.mark.parametrize("finetuning", presets.FINETUNING)
def test_every_preset_is_whole(finetuning: str) -> None:
    assert len(presets.names()) == 5
    for name in presets.names():
        student = presets.student(name, finetuning)
        assert student.settings["cutoff_len"] == 2048
        assert student.settings["num_train_epochs"] == 3.0
        assert student.settings["lr_scheduler_type"] == "cosine"
        assert ("lora_rank" in student.settings) == (finetuning == "lora")
        text = (presets.FOLDER / f"{name}.yaml").read_text()
        assert f"https://huggingface.co/{student.model}\n# Licence: " in text
        assert float(name.rpartition("-")[2].removesuffix("b")) == pytest.approx(
            (student.parameters or 0) / 1e9, rel=0.1
        )

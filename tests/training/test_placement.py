"""Which placement every preset gets on 1 to 8 GPUs of 24, 40 and 80 GB, and what is said where none fits."""

import pytest
from seedkit.errors import UsageError
from training import presets
from training.placement import GB, USABLE, Placement, placed
from training.presets import Shape, Student

# of full fine-tuning with 2,048 tokens: (GPUs, GB each) to (ZeRO stage, samples at a time), "-" where nothing fits
PLACEMENTS = {
    "qwen2.5-coder-1.5b": {
        (1, 24): "-", (2, 24): "3 1", (4, 24): "3 2", (8, 24): "3 2",
        (1, 40): "None 2", (2, 40): "3 4", (4, 40): "3 4", (8, 40): "3 4",
        (1, 80): "None 4", (2, 80): "None 4", (4, 80): "None 4", (8, 80): "None 4",
    },
    "deepseek-coder-1.3b": {
        (1, 24): "-", (2, 24): "3 4", (4, 24): "3 4", (8, 24): "3 4",
        (1, 40): "None 4", (2, 40): "None 4", (4, 40): "None 4", (8, 40): "None 4",
        (1, 80): "None 4", (2, 80): "None 4", (4, 80): "None 4", (8, 80): "None 4",
    },
    "qwen2.5-coder-7b": {
        (1, 24): "-", (2, 24): "-", (4, 24): "-", (8, 24): "-",
        (1, 40): "-", (2, 40): "-", (4, 40): "-", (8, 40): "3 2",
        (1, 80): "-", (2, 80): "3 1", (4, 80): "3 2", (8, 80): "3 2",
    },
    "deepseek-coder-6.7b": {
        (1, 24): "-", (2, 24): "-", (4, 24): "-", (8, 24): "3 2",
        (1, 40): "-", (2, 40): "-", (4, 40): "3 2", (8, 40): "3 2",
        (1, 80): "-", (2, 80): "3 2", (4, 80): "3 2", (8, 80): "3 2",
    },
}  # fmt: skip
PLACEMENTS["codellama-7b"] = PLACEMENTS["deepseek-coder-6.7b"]


def spread(name: str, finetuning: str, gpus: int, gb: int) -> Placement | None:
    try:
        return placed(presets.student(name, finetuning), gpus, gb * GB, None, 2048)
    except UsageError:
        return None


@pytest.mark.parametrize("name", PLACEMENTS)
def test_where_the_presets_fit(name: str) -> None:
    found = {key: spread(name, "full", *key) for key in PLACEMENTS[name]}
    shown = {key: f"{at.stage} {at.micro_batch}" if at else "-" for key, at in found.items()}
    assert shown == PLACEMENTS[name]
    for (gpus, gb), at in found.items():
        if at:
            assert gpus * at.micro_batch * at.accumulation == 64  # a step is the same wherever it runs
            assert at.memory and at.memory.total <= USABLE * gb * GB
    for gpus, gb in found:
        lora = spread(name, "lora", gpus, gb)
        assert lora and (lora.stage is None or gb == 24), (gpus, gb)


def test_a_student_that_does_not_fit_is_refused_with_what_it_needs() -> None:
    student = presets.student("qwen2.5-coder-7b", "full")
    with pytest.raises(UsageError) as one:
        placed(student, 1, 80 * GB, None, 2048)
    assert str(one.value) == (
        "Qwen/Qwen2.5-Coder-7B: full fine-tuning with one sample of 2,048 tokens at a time needs about 142 GB (122 for weights, "
        "gradients and Adam's moments without DeepSpeed) on the GPU, got 80 GB, of which 90% are counted on; "
        "take several GPUs (ZeRO stage 3), --finetuning lora or a smaller --cutoff_len"
    )
    with pytest.raises(UsageError, match=r"in ZeRO stage 2\) on each of 8 GPUs, .* take --deepspeed_stage 3, "):
        placed(student, 8, 24 * GB, 2, 2048)
    with pytest.raises(UsageError, match="take more GPUs, --finetuning lora or a smaller"):
        placed(student, 8, 24 * GB, None, 2048)
    with pytest.raises(UsageError, match="take several GPUs .ZeRO stage 3. or a smaller"):
        placed(presets.student("qwen2.5-coder-7b", "lora"), 1, 12 * GB, None, 2048)


def test_a_stage_that_is_asked_for_is_taken() -> None:
    student = presets.student("qwen2.5-coder-1.5b", "full")
    assert placed(student, 2, 80 * GB, None, 2048).stage is None
    for stage in (0, 2, 3):
        assert placed(student, 2, 80 * GB, stage, 2048).stage == stage


def test_shorter_samples_and_liger_leave_room_for_more() -> None:
    student = presets.student("qwen2.5-coder-1.5b", "full")
    assert placed(student, 1, 40 * GB, None, 2048).micro_batch == 2
    assert placed(student, 1, 40 * GB, None, 512).micro_batch == 4
    liger = student.with_settings(None, enable_liger_kernel=True)
    assert placed(liger, 1, 40 * GB, None, 2048).micro_batch == 4


def test_a_batch_that_does_not_divide_is_refused() -> None:
    student = presets.student("deepseek-coder-1.3b", "full")
    with pytest.raises(UsageError, match="--batch_size 64: expected a multiple of the 3 GPUs"):
        placed(student, 3, 80 * GB, None, 2048)


def test_the_cpu_and_students_of_unknown_shape_are_not_refused() -> None:
    big = Student("m", "default", 4, "full", {"batch_size": 64}, 10**12, Shape(8, 8, 8, 8))
    assert placed(big, 0, 0, None, 2048) == Placement(
        0, 1, 64
    )  # a processor pays for padding and gains nothing by a batch
    unknown = Student("m", "default", 4, "full", {"batch_size": 6}, 10**12)
    assert placed(unknown, 2, 1, None, 2048) == Placement(2, 3, 1)

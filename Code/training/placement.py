"""How a student's batch is spread over the GPUs: samples at a time, accumulation, DeepSpeed's ZeRO stage; or why it does not fit."""

from dataclasses import dataclass

from seedkit.errors import UsageError

from training.estimates import Memory, gpu_memory
from training.presets import Student

USABLE = (
    0.9  # of a GPU's memory: CUDA's context, NCCL's buffers and fragmentation take the rest, by judgement, not measured
)
GB = 1e9


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a student's batch goes. None of it changes the number of samples in a step."""

    gpus: int  # 0: the CPU
    micro_batch: int  # samples on each at a time
    accumulation: int  # such micro-batches in a step
    stage: int | None = None  # DeepSpeed's ZeRO stage; None: without DeepSpeed
    memory: Memory | None = None  # of a GPU; None on the CPU, or if the student's shape is not known


def placed(student: Student, gpus: int, gpu_bytes: float, stage: int | None, length: int) -> Placement:
    """The first of these that fits into the GPUs' memory: without DeepSpeed, or ZeRO stage 3 over several GPUs; or `stage`.

    Of each the largest micro-batch that fits is taken, up to the student's own, of those that divide a GPU's share of the
    batch. `gpu_bytes` is the memory of a GPU, `length` the tokens of the longest sample.

    Raises UsageError if the batch does not divide among the GPUs, or if not even one sample fits.
    """
    batch, sharing = student.settings["batch_size"], max(1, gpus)
    if batch % sharing:
        raise UsageError(f"--batch_size {batch}: expected a multiple of the {gpus} GPUs, so that all steps are alike")
    share = batch // sharing
    sizes = [size for size in range(min(student.micro_batch, share), 0, -1) if share % size == 0]
    stages = [stage] if stage is not None else [None, 3] if gpus > 1 else [None]
    if not gpus:  # one sample at a time: a processor gains nothing by more, and pays for their padding
        return Placement(0, 1, share)
    for chosen in stages:
        for size in sizes:
            memory = gpu_memory(student, size, length, gpus, chosen)
            if memory is None or memory.total <= USABLE * gpu_bytes:
                return Placement(gpus, size, share // size, chosen, memory)
    raise UsageError(_does_not_fit(student, gpus, gpu_bytes, stages[-1], length))


def needs(memory: Memory, stage: int | None) -> str:
    """What a GPU needs, in words."""
    sharing = "without DeepSpeed" if stage is None else f"in ZeRO stage {stage}"
    what = f"{memory.states / GB:,.0f} for weights, gradients and Adam's moments {sharing}"
    return f"about {memory.total / GB:,.0f} GB ({what})"


def each(gpus: int) -> str:
    """Where a sample goes, in words."""
    return f"each of {gpus} GPUs" if gpus > 1 else "the GPU" if gpus else "the CPU"


def _does_not_fit(student: Student, gpus: int, gpu_bytes: float, stage: int | None, length: int) -> str:
    memory = gpu_memory(student, 1, length, gpus, stage)
    assert memory is not None
    other = "more GPUs" if stage == 3 else "--deepspeed_stage 3" if gpus > 1 else "several GPUs (ZeRO stage 3)"
    ways = [other, *(["--finetuning lora"] if student.finetuning == "full" else []), "a smaller --cutoff_len"]
    return (
        f"{student.model}: {student.finetuning} fine-tuning with one sample of {length:,} tokens at a time needs "
        f"{needs(memory, stage)} on {each(gpus)}, got {gpu_bytes / GB:,.0f} GB, of which {USABLE:.0%} are counted on; "
        f"take {', '.join(ways[:-1])} or {ways[-1]}"
    )

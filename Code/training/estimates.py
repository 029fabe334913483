"""What a training run needs, from formulas: memory of a GPU, tokens with padding, hours. Nothing here was measured on a GPU."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from training.presets import Student

# One A100 does at most 312e12 bfloat16 operations a second (NVIDIA's data sheet); training usually reaches 40% of that.
A100_FLOPS = 0.4 * 312e12
# A core with AVX-512 does about 56e9 float32 operations a second: LoRA of a model of 134.5e6 parameters took 2.4 s for a
# step of 332 tokens on two of them (6 operations x parameters x tokens / seconds / cores; LLaMA-Factory 0.9.5, torch 2.11).
CORE_FLOPS = 56e9
# Operations per parameter and token (Kaplan et al. 2020, arXiv 2001.08361): 2 for the forward pass, 2 for the gradients of
# the activations, 2 for those of the weights (LoRA has none for the frozen weights), and 2 for the forward pass once more,
# which gradient checkpointing repeats.
OPERATIONS = {"full": 8, "lora": 6}
PADDED_TO = 8  # tokens: LLaMA-Factory's collator pads to a multiple of it
GATHERED = 1e9  # stage3_max_live_parameters: so many parameters does ZeRO stage 3 gather at a time


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one GPU."""

    states: float  # weights, gradients, the optimizer's moments
    samples: float  # what the samples on the GPU need: activations, logits and their gradients

    @property
    def total(self) -> float:
        return self.states + self.samples


def gpu_memory(student: Student, micro_batch: int, length: int, gpus: int, stage: int | None) -> Memory | None:
    """About how many bytes of each of `gpus` GPUs a student takes with `micro_batch` samples of `length` tokens at a time.

    States: 16 bytes a trained parameter for mixed precision with Adam (Rajbhandari et al. 2020, ZeRO, arXiv 1910.02054:
    weights and gradients in bfloat16, weights and two moments in float32). N GPUs share all 16 in ZeRO stage 3, 14 in stage
    2, nothing in stage 0. Without DeepSpeed (`stage` None) LLaMA-Factory trains weights in float32 under autocast: 4 + 4 + 8
    are 16 as well, and with several GPUs DistributedDataParallel's buckets hold every gradient once more, 4 bytes. LoRA
    trains rank x (rows + columns) parameters of every matrix of a layer; the frozen weights are bfloat16, 2 bytes.
    Stage 3 gathers up to `GATHERED` parameters in bfloat16 besides.

    Samples, with gradient checkpointing, which LLaMA-Factory turns on, and attention that keeps no matrix of tokens by
    tokens: each layer's input (2 bytes a number with DeepSpeed, 4 under autocast), and one layer's activations, which are
    made again, with as many gradients. A layer has 24 bytes x hidden_size + 8 bytes x intermediate_size a token: Korthikanti
    et al. 2022, arXiv 2205.05198, section 4.1, without dropout, with the RMS norms in float32 and a gated feed-forward
    layer. A logit takes 12 bytes while the loss is differentiated (log-softmax and two gradients in float32, measured on a
    CPU), or 10 before that (bfloat16, float32 and log-softmax; transformers 5.6, loss/loss_utils.py), while autocast's bfloat16
    copy of the trained weights still stands: the larger of the two counts. Liger's fused loss never holds all logits.

    CUDA's context, NCCL's buffers and fragmentation are not in it. None if the student's shape is not known.
    """
    shape = student.shape
    if shape is None or student.parameters is None:
        return None
    hidden, inner = shape.hidden_size, shape.intermediate_size
    trained, frozen = float(student.parameters), 0.0
    if student.finetuning == "lora":
        # queries, keys, values and outputs are hidden x hidden at most, the feed-forward layer has three of hidden x inner
        columns = 4 * 2 * hidden + 3 * (hidden + inner)
        trained, frozen = student.settings["lora_rank"] * shape.num_hidden_layers * columns, trained
    if stage is None:
        states = (16 + 4 * (gpus > 1)) * trained + 2 * frozen
    else:
        states = {0: 16, 2: 2 + 14 / gpus, 3: 16 / gpus}[stage] * trained + 2 * frozen / (gpus if stage == 3 else 1)
    if stage == 3:
        states += 2 * min(GATHERED, trained + frozen)
    tokens = micro_batch * length
    inputs = tokens * shape.num_hidden_layers * hidden * (4 if stage is None else 2)
    layer = 2 * tokens * (24 * hidden + 8 * inner)
    logits = 0 if student.settings.get("enable_liger_kernel") else tokens * shape.vocab_size
    copy = 2 * trained if stage is None else 0
    return Memory(states, inputs + layer + max(copy + 10 * logits, 12 * logits))


def padded_tokens(lengths: Sequence[int], micro_batch: int) -> float:
    """The tokens that one pass computes, on average over all orders: each micro-batch is padded to its longest sample.

    `lengths` are the tokens of each of n records. With them sorted and rounded up to a multiple of PADDED_TO, the longest of m
    records drawn without repetition is the k-th or shorter with probability C(k, m) / C(n, m); the pass has n / m such draws,
    and computes m tokens for each of the longest's.
    """
    import numpy as np

    ordered = np.sort(-(-np.asarray(lengths, dtype=np.int64) // PADDED_TO) * PADDED_TO)
    count = len(ordered)
    drawn = min(micro_batch, count)
    rank = np.arange(1, count + 1)
    up_to = np.ones(count)  # float64: the probability that the longest is not behind the k-th
    for earlier in range(drawn):
        up_to *= np.maximum(rank - earlier, 0) / (count - earlier)
    return float(count * np.dot(np.diff(up_to, prepend=0.0), ordered))


def training_hours(student: Student, tokens: float, flops: float) -> float | None:
    """About how many hours it takes to train on so many tokens, padding included: operations x parameters x tokens / flops / 3600.

    `flops` are operations a second. Loading and saving are not counted. None if the parameters are not known.
    """
    if student.parameters is None:
        return None
    return math.prod((OPERATIONS[student.finetuning], student.parameters, tokens)) / flops / 3600

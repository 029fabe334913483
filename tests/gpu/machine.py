"""The machine itself: versions, what each attention kernel makes of masked rows and of new shapes, the rate of the card."""

import functools
import importlib.metadata
import platform
import time
from collections.abc import Iterator
from typing import Any

from bench import Bench

PACKAGES = ("torch", "transformers", "sentence-transformers", "tokenizers", "triton", "numpy", "orjson", "msgspec")
ROWS_TOLERANCE = 0.02  # of bfloat16 attention against float64, as a share of the largest value


def versions(bench: Bench) -> None:
    """Packages, card, CUDA and cuDNN."""
    import torch

    bench.report("python", platform.python_version())
    for package in PACKAGES:
        try:
            bench.report(package, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            bench.report(package, "not installed")
    bench.report("texts", len(bench.texts))
    if bench.cuda:
        facts = torch.cuda.get_device_properties(0)
        bench.report("card", facts.name)
        bench.report("memory", facts.total_memory / 2**30, "GiB")
        bench.report("CUDA", str(torch.version.cuda))
        bench.report("cuDNN", str(torch.backends.cudnn.version()))  # type: ignore[no-untyped-call]
        some = torch.ones(1, 1, 64, 64, dtype=torch.bfloat16, device=bench.device)
        torch.nn.functional.scaled_dot_product_attention(some, some, some)  # the order is chosen at the first use
        names = {int(kernel.value): name for name, kernel in attention_kernels().items()}
        order = [names.get(number, "another") for number in torch._C._get_sdp_priority_order()]
        bench.report("order in which attention kernels are tried", ", ".join(order))


def attention_kernels() -> dict[str, Any]:
    """The kernels of scaled dot product attention by name."""
    from torch.nn.attention import SDPBackend

    return {
        "math": SDPBackend.MATH,
        "flash": SDPBackend.FLASH_ATTENTION,
        "efficient": SDPBackend.EFFICIENT_ATTENTION,
        "cuDNN": SDPBackend.CUDNN_ATTENTION,
    }


def masked_rows(bench: Bench) -> None:
    """What each kernel makes of masks, in the rows that see something and in those that padding on the left makes blind.

    In widths with and without a rest of 1 by 64, and with heads that have keys and values of their own or share one.
    """
    import torch

    torch.manual_seed(0)
    rows, heads, columns = (2, 2, 32) if bench.toy else (8, 32, 128)
    for dtype in (torch.bfloat16, torch.float32):
        for width in (65, 72) if bench.toy else (193, 200):
            for shared in (False, True):
                query = torch.randn(rows, heads, width, columns, dtype=dtype)
                size = (rows, 1 if shared else heads, width, columns)
                key, value = torch.randn(2, *size, dtype=dtype).unbind()
                what = f"{str(dtype).removeprefix('torch.')}, {width} wide{', shared' if shared else ''}"
                _check_masked(bench, what, query, key, value)


def _check_masked(bench: Bench, what: str, query: Any, key: Any, value: Any) -> None:
    """Each kernel against float64, padded on the left: query (rows, heads, width, columns), the others the same or one head."""
    import torch
    from torch.nn.attention import sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention as attention

    rows, _, width, _ = query.shape
    seen = torch.arange(width) >= (torch.arange(rows) * (width // (2 * rows)))[:, None]
    mask = (seen[:, None, :] & torch.ones(width, width, dtype=torch.bool).tril())[:, None]
    real = seen[:, None, :, None].expand_as(query)
    shared = key.shape[1] < query.shape[1]
    expected = attention(query.double(), key.expand_as(query).double(), value.expand_as(query).double(), attn_mask=mask)
    query, key, value, mask = (tensor.to(bench.device) for tensor in (query, key, value, mask))
    key, value = key.expand_as(query), value.expand_as(query)  # as transformers repeats one head: without a copy
    for name, backends in {**attention_kernels(), "default": list(attention_kernels().values())}.items():
        try:
            with sdpa_kernel(backends):
                found = attention(query, key, value, attn_mask=mask)
        except RuntimeError:  # a kernel that takes no mask, or not this precision, or is not there
            bench.report(f"{what}, {name}", "does not run")
            continue
        found = found.double().cpu()
        off = float((found - expected)[real].abs().max() / expected[real].abs().max())
        blind = found[~real]
        bad = int((~blind.isfinite()).sum())
        # wrong from torch's own choice is wrong; of other kernels, and of shared heads, which we pass no mask, it is good to know
        fine = off < ROWS_TOLERANCE and bad == 0
        bench.report(
            f"{what}, {name}, error where something is seen",
            off,
            f"and {bad} numbers not finite elsewhere",
            holds=fine if name == "default" and not shared else None,
        )


def new_shapes(bench: Bench) -> None:
    """Milliseconds of six batches of new shapes, and of the same again: the difference is a kernel's preparation.

    Causal attention over grouped heads, as the scorers ask for it, and attention with a mask, as generation does; by the
    kernel that torch takes, which the environment decides. In float32 no kernel but the one of plain products may take
    grouped heads: it shows in the time.
    """
    tokens, heads, columns = (256, 2, 32) if bench.toy else (16384, 32, 128)
    widths = [16, 17, 18] if bench.toy else [90, 125, 170, 220, 300, 450]
    kinds = (("causal", False, "bfloat16"), ("with a mask", True, "bfloat16"), ("causal, float32", False, "float32"))
    for kind, masked, dtype in kinds:
        first, again = [], []
        for attend in _attentions(bench, widths, tokens, heads, columns, masked, dtype):
            first.append(bench.seconds(attend))
            again.append(bench.seconds(attend, 3))
        bench.report(f"{kind}, new shapes", 1000 * sum(first) / len(first), "ms a batch")
        bench.report(f"{kind}, known shapes", 1000 * sum(again) / len(again), "ms a batch")


def _attentions(
    bench: Bench, widths: list[int], tokens: int, heads: int, columns: int, masked: bool, dtype: str
) -> Iterator[Any]:
    """Attention as transformers asks for it: with a mask over repeated heads, or causal over grouped ones."""
    import torch

    for width in widths:
        rows = tokens // width
        shared = heads if masked else max(1, heads // 4)
        made: dict[str, Any] = {"dtype": getattr(torch, dtype), "device": bench.device}
        query = torch.randn(rows, heads, width, columns, **made)
        key, value = torch.randn(2, rows, shared, width, columns, **made).unbind()
        mask = torch.ones(rows, 1, width, width, dtype=torch.bool, device=bench.device).tril()
        how: dict[str, Any] = {"attn_mask": mask} if masked else {"is_causal": True, "enable_gqa": True}
        yield functools.partial(torch.nn.functional.scaled_dot_product_attention, query, key, value, **how)


def matrix_rate(bench: Bench) -> None:
    """The rate of a matrix product, at first and when the card is hot, and of a copy."""
    import torch

    bench.report("bfloat16 matrix product, at first", rate(bench) / 1e12, "TFLOP/s")
    end = time.monotonic() + (0 if bench.toy else 3)
    while time.monotonic() < end:
        _products(bench, 100)
    bench.report("bfloat16 matrix product, after 3 s of it", _products(bench, 10) / 1e12, "TFLOP/s")
    if bench.cuda:
        source = torch.empty(2**32, dtype=torch.uint8, device=bench.device)
        target = torch.empty_like(source)
        target.copy_(source)
        seconds = bench.seconds(lambda: target.copy_(source), 5)
        bench.report("copy within its memory, read and written", 2 * source.numel() / seconds / 1e12, "TB/s")


def rate(bench: Bench) -> float:
    """FLOP/s of a square matrix product in bfloat16 on a card that is not hot yet; measured once for all steps."""
    kept = bench.work / "rate"
    if not kept.exists():
        _products(bench, 5)
        kept.write_text(str(_products(bench, 30)))
    return float(kept.read_text())


def _products(bench: Bench, count: int) -> float:
    """FLOP/s of `count` products of random square matrices in bfloat16."""
    import torch

    size = 256 if bench.toy else 8192
    a, b = torch.randn(2, size, size, dtype=torch.bfloat16, device=bench.device).unbind()

    def run() -> None:
        for _ in range(count):
            torch.mm(a, b)

    return count * 2 * size**3 / bench.seconds(run)

"""The machine itself: versions, what each attention kernel makes of masked rows and of new shapes, the rate of the card."""

import importlib.metadata
import platform
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
        bench.report("cuDNN", str(torch.backends.cudnn.version()))
        bench.report("order of attention kernels", str(torch._C._get_sdp_priority_order()))


def attention_kernels() -> dict[str, Any]:
    """The kernels of scaled dot product attention by name."""
    from torch.nn.attention import SDPBackend

    return {
        "math": SDPBackend.MATH, "flash": SDPBackend.FLASH_ATTENTION,
        "efficient": SDPBackend.EFFICIENT_ATTENTION, "cuDNN": SDPBackend.CUDNN_ATTENTION,
    }  # fmt: skip


def masked_rows(bench: Bench) -> None:
    """Left padding makes queries that see nothing: what they give, and whether the others are right beside them."""
    import torch
    from torch.nn.attention import sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention as attention

    torch.manual_seed(0)
    rows, heads, width, columns = (2, 2, 16, 32) if bench.toy else (8, 32, 200, 128)
    query, key, value = torch.randn(3, rows, heads, width, columns).bfloat16().unbind()
    padding = torch.arange(rows) * (width // (2 * rows))
    seen = torch.arange(width) >= padding[:, None]
    mask = (seen[:, None, :] & torch.ones(width, width, dtype=torch.bool).tril())[:, None]
    real = seen[:, None, :, None].expand(rows, heads, width, columns)
    expected = attention(query.double(), key.double(), value.double(), attn_mask=mask)
    placed = [tensor.to(bench.device) for tensor in (query, key, value)]
    for name, backends in {**attention_kernels(), "default": list(attention_kernels().values())}.items():
        try:
            with sdpa_kernel(backends):
                found = attention(*placed, attn_mask=mask.to(bench.device)).double().cpu()
        except RuntimeError as error:  # a kernel that takes no mask, or is not there
            bench.report(name, f"does not run: {str(error).splitlines()[0][:80]}")
            continue
        off = float((found - expected)[real].abs().max() / expected[real].abs().max())
        bench.report(f"{name}, error of the rows that see something", off, holds=off < ROWS_TOLERANCE)
        hidden = found[~real]
        bad = int((~hidden.isfinite()).sum())
        bench.report(
            f"{name}, numbers not finite in rows that see nothing", bad, f"of {hidden.numel()}", holds=bad == 0
        )


def attention_plans(bench: Bench) -> None:
    """Milliseconds of six batches of new shapes, and of the same again: the difference is a kernel's preparation."""
    import torch
    from torch.nn.attention import sdpa_kernel

    heads, columns, tokens = (2, 32, 256) if bench.toy else (32, 128, 16384)
    widths = [16, 17, 18] if bench.toy else [90, 125, 170, 220, 300, 450]
    for name, backend in attention_kernels().items():
        for masked in (True, False):
            first, again = [], []
            try:
                with sdpa_kernel(backend):
                    for run in _attentions(bench, widths, tokens, heads, columns, masked):
                        first.append(bench.seconds(run))
                        again.append(bench.seconds(run, 3))
            except RuntimeError as error:  # a kernel that takes no mask, or is not there
                bench.report(f"{name}, {_kind(masked)}", f"does not run: {str(error).splitlines()[0][:80]}")
                continue
            bench.report(f"{name}, {_kind(masked)}, new shapes", 1000 * sum(first) / len(first), "ms a batch")
            bench.report(f"{name}, {_kind(masked)}, known shapes", 1000 * sum(again) / len(again), "ms a batch")
    torch.cuda.empty_cache()


def _kind(masked: bool) -> str:
    return "mask" if masked else "causal, grouped heads"


def _attentions(bench: Bench, widths: list[int], tokens: int, heads: int, columns: int, masked: bool) -> Iterator[Any]:
    """Attention as transformers asks for it: with a mask over repeated heads, or causal over grouped ones."""
    import functools

    import torch

    for width in widths:
        rows = tokens // width
        shared = heads if masked else max(1, heads // 4)
        query = torch.randn(rows, heads, width, columns, dtype=torch.bfloat16, device=bench.device)
        key, value = torch.randn(2, rows, shared, width, columns, dtype=torch.bfloat16, device=bench.device).unbind()
        mask = torch.ones(rows, 1, width, width, dtype=torch.bool, device=bench.device).tril()
        how: dict[str, Any] = {"attn_mask": mask} if masked else {"is_causal": True, "enable_gqa": True}
        yield functools.partial(torch.nn.functional.scaled_dot_product_attention, query, key, value, **how)


def matrix_rate(bench: Bench) -> None:
    bench.report("bfloat16 matrix product", rate(bench) / 1e12, "TFLOP/s")
    if bench.cuda:
        import torch

        source = torch.empty(2**32, dtype=torch.uint8, device=bench.device)
        target = torch.empty_like(source)
        target.copy_(source)
        seconds = bench.seconds(lambda: target.copy_(source), 5)
        bench.report("copy within its memory, read and written", 2 * source.numel() / seconds / 1e12, "TB/s")


def rate(bench: Bench) -> float:
    """FLOP/s of a square matrix product in bfloat16 on random numbers: what there is to be had."""
    import torch

    size = 256 if bench.toy else 8192
    a, b = torch.randn(2, size, size, dtype=torch.bfloat16, device=bench.device).unbind()
    for _ in range(5):
        a @ b
    products = 10

    def run() -> None:
        for _ in range(products):
            torch.mm(a, b)

    return products * 2 * size**3 / bench.seconds(run, 3)

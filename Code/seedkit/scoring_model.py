"""A scoring model made ready: of its head only the digits' rows, in float32; on a GPU, its layers compiled."""

import os
import shutil
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from seedkit.errors import RunError

NO_COMPILING = "TORCH_COMPILE_DISABLE"  # torch's own variable: 1 is no compiling
FIRST_SHAPES = (
    (3, 127),
    (1, 127),
)  # rows, tokens: what layers are compiled for; sizes that no other part of a model has


def keep_rows(model: Any, rows: list[int]) -> bool:
    """Leave only these rows of the model's head, in float32: its logits are those of these tokens, in their order.

    The head in bfloat16 moves a score by up to 0.05, since it rounds logits to steps of 0.03 to 0.1; the head in float32
    costs nothing for six rows. What a model does to its logits behind the head (a scale, a soft cap) it goes on doing.

    Returns False, and leaves the model as it is, if its head is not one linear layer or its logits come out otherwise.
    """
    import torch

    head = model.get_output_embeddings()
    if type(head) is not torch.nn.Linear:
        return False
    device, biased = head.weight.device, head.bias is not None
    ids = torch.tensor([[0, 1, 2]], device=device)
    small = torch.nn.Linear(head.in_features, len(rows), bias=biased, device=device, dtype=torch.float32)
    small.register_forward_pre_hook(lambda _, inputs: (inputs[0].float(),))
    with torch.no_grad():
        small.weight.copy_(head.weight[rows])
        if biased:
            small.bias.copy_(head.bias[rows])
        expected = model(input_ids=ids, use_cache=False).logits[..., rows].float()
        model.set_output_embeddings(small)
        found = model(input_ids=ids, use_cache=False).logits.float()
    rounding = 8 * torch.finfo(head.weight.dtype).eps * expected.abs().max().clamp(min=1)
    if found.shape == expected.shape and bool((found - expected).abs().max() <= rounding):
        return True
    model.set_output_embeddings(head)
    return False


def why_not_compiled() -> str | None:
    """Why layers cannot be compiled for a GPU on this machine, or None if they can."""
    if os.environ.get(NO_COMPILING) == "1":
        return f"{NO_COMPILING} is 1"
    if find_spec("triton") is None:
        return "the package triton is not there"
    if not any(map(shutil.which, (os.environ.get("CC", "cc"), "gcc", "clang"))):
        return "there is no C compiler"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "Python's header files are not there (Debian: python3-dev)"
    return None


def compile_layers(model: Any, name: str) -> None:
    """Compile each decoder layer of the model on its device, for batches of all shapes.

    Which kernels are made depends on the shapes that come first and on no measured time: so these are always the same, and
    so are the scores of a resumed run. One row and several are two sets of kernels.

    Raises RunError if they cannot be compiled.
    """
    import torch
    from torch._dynamo.exc import TorchDynamoException

    lists = [module for module in model.modules() if isinstance(module, torch.nn.ModuleList)]
    for layer in max(lists, key=lambda layers: sum(weights.numel() for weights in layers.parameters())):
        layer.compile(dynamic=True, options={"deterministic": True})
    try:
        with torch.inference_mode():
            for shape in FIRST_SHAPES:
                model(input_ids=torch.ones(shape, dtype=torch.long, device=model.device), use_cache=False)
    except TorchDynamoException as error:
        raise RunError(
            f"model {name}: its layers cannot be compiled ({str(error).strip().splitlines()[0]}); to go on without, set "
            f"{NO_COMPILING}=1"
        ) from None

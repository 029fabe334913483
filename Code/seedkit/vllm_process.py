"""vLLM in a process that has its GPUs to itself: what must be set before it is imported."""

import os
from typing import Any

from seedkit.errors import UsageError


def vllm_on(device: str) -> Any:
    """The vllm module, for an engine on `device`: cpu, cuda:0, or cuda:0+1 for one over several GPUs.

    Raises UsageError where vLLM is not installed.
    """
    if device.startswith("cuda:"):
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        gpus = device.removeprefix("cuda:").split("+")
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(visible[int(g)] if visible != [""] else g for g in gpus)
    # The engine runs in this process, which it has to itself anyway. So all requests are there before its first step, the
    # batches are the same in every run, and no process waits for another.
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    try:
        import vllm
    except ImportError as error:
        raise UsageError(
            f"--engine vllm: vLLM cannot be imported ({error}); install it: pip install vllm==0.32.0"
        ) from None
    return vllm

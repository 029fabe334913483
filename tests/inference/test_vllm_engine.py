"""vLLM on the CPU against transformers, in an environment of its own."""

from pathlib import Path

import pytest
from engine_cases import engine, naive, requests
from inference.engines import Answer, Sampling
from support import answered

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.heavy
def test_vllm_gives_the_same_greedy_text(tiny_llama: Path, tmp_path: Path, vllm_environment: str) -> None:
    whole = engine(tiny_llama)(requests(tiny_llama))
    end = naive(tiny_llama, requests(tiny_llama)[2])[6]
    sampling = Sampling(0.0, 1.0, (whole[0].text[5:11], whole[1].text[3:8]), (end,))
    expected = engine(tiny_llama, sampling)(requests(tiny_llama))
    assert {found.finish_reason for found in expected} == {"stop", "length"}
    script = tmp_path / "ask.py"
    script.write_text(VLLM_SCRIPT)
    asked = {
        "model": str(tiny_llama),
        "stop": sampling.stop,
        "end": end,
        "requests": [[list(one.prompt), one.max_new_tokens, one.seed] for one in requests(tiny_llama)],
    }
    greedy, sampled, alone = answered(vllm_environment, script, asked)
    assert [Answer(*found) for found in greedy] == expected
    assert sampled[-1:] == alone  # a request's seed is its own
    assert sampled != greedy


VLLM_SCRIPT = """
import json, os, sys
from inference.engines import Request, Sampling
from inference.vllm_engine import VllmEngine

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    wanted = [Request(tuple(prompt), most, seed) for prompt, most, seed in asked["requests"]]
    sampling = Sampling(0.0, 1.0, tuple(asked["stop"]), (asked["end"],))
    engine = VllmEngine(asked["model"], sampling, device="cpu", dtype="float32", max_model_len=512)
    found = [engine(wanted)]
    engine._sampling = Sampling(0.9, 0.95, (), ())
    found += [engine(wanted), engine(wanted[-1:])]
    print("\\n" + json.dumps([[[one.text, one.finish_reason] for one in answers] for answers in found]), flush=True)
    os._exit(0)
"""

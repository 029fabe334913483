"""Which teacher is asked, how it draws, and how fast it may be asked: the flags of both scripts, and their values."""

import argparse
from dataclasses import dataclass
from typing import Any

from seedkit.errors import UsageError
from seedkit.flags import above_zero, add_machine_flags, fraction, natural, positive

MAX_NEW_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class TeacherSettings:
    """The values of the flags."""

    teacher: str  # hub id or folder, or what the server of `endpoint` calls it
    engine: str
    endpoint: str | None
    teacher_revision: str | None
    temperature: float
    top_p: float
    max_new_tokens: int
    seed: int
    device: str
    dtype: str
    max_batch_tokens: int | None
    max_concurrency: int
    requests_per_minute: float | None
    tokens_per_minute: float | None
    give_up_after: float
    silence_timeout: float
    answer_timeout: float
    price_in: float | None
    price_out: float | None

    @property
    def sampling(self) -> dict[str, Any]:
        """How answers are drawn, as manifests and keys hold it."""
        return {
            "temperature": float(self.temperature),
            "top_p": float(self.top_p) if self.temperature else 1.0,
            "max_new_tokens": self.max_new_tokens,
            "seed": self.seed,
        }


def add_teacher_flags(flags: argparse.ArgumentParser, *, required: bool) -> None:
    """The teacher, how it draws, what it costs, and the limits of a server."""
    who = flags.add_argument_group("teacher")
    who.add_argument(
        "--teacher",
        required=required,
        metavar="MODEL",
        help="hub id or folder of a chat model, or with --endpoint the name that the server knows it by",
    )
    who.add_argument(
        "--endpoint",
        metavar="URL",
        help="base URL of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1; the key is read from OPENAI_API_KEY",
    )
    who.add_argument("--teacher_revision", metavar="TEXT", help="with --endpoint: which version of the model is served")
    who.add_argument(
        "--temperature", type=temperature, default=0.0, metavar="T", help="0: the likeliest token (default)"
    )
    who.add_argument("--top_p", type=fraction, default=1.0, metavar="P", help="share of the probability (default: 1)")
    who.add_argument("--max_new_tokens", type=positive, default=MAX_NEW_TOKENS, metavar="N", help="default: 2048")
    who.add_argument("--seed", type=natural, default=42, metavar="N", help="default: 42")
    who.add_argument("--price_in", type=price, metavar="P", help="price of a million tokens of prompts")
    who.add_argument("--price_out", type=price, metavar="P", help="price of a million tokens of answers")
    machine = add_machine_flags(flags)
    machine.add_argument(
        "--engine",
        choices=("auto", "vllm", "transformers"),
        default="auto",
        help="of a model that is loaded here; auto: vllm on a GPU where it is installed, else transformers (default)",
    )
    server = flags.add_argument_group("server")
    server.add_argument(
        "--max_concurrency", type=positive, default=64, metavar="N", help="most requests under way (default: 64)"
    )
    server.add_argument("--requests_per_minute", type=above_zero, metavar="N", help="default: no limit")
    server.add_argument(
        "--tokens_per_minute", type=price, metavar="N", help="of prompts and answers; default: no limit"
    )
    server.add_argument(
        "--give_up_after",
        type=above_zero,
        default=300.0,
        metavar="S",
        help="stop when nothing has succeeded for S seconds; what is finished is kept (default: 300)",
    )
    server.add_argument(
        "--silence_timeout", type=above_zero, default=300.0, metavar="S", help="seconds without a byte (default: 300)"
    )
    server.add_argument(
        "--answer_timeout", type=above_zero, default=900.0, metavar="S", help="seconds of a whole answer (default: 900)"
    )


def teacher_settings(args: argparse.Namespace) -> TeacherSettings:
    """The values of the flags. Raises UsageError where they do not fit each other."""
    if args.endpoint is None and args.teacher_revision is not None:
        raise UsageError("--teacher_revision: goes with --endpoint; of a model that is loaded here it is found out")
    if args.endpoint is not None and args.engine != "auto":
        raise UsageError(f"--engine {args.engine}: is for a model that is loaded here, and --endpoint is given")
    if args.top_p == 0:
        raise UsageError("--top_p 0: expected a number above 0, at most 1")
    return TeacherSettings(**{name: getattr(args, name) for name in TeacherSettings.__dataclass_fields__})


def temperature(text: str) -> float:
    """An argument type: a temperature from 0 to 10."""
    return _number(text, 10)


def price(text: str) -> float:
    """An argument type: a number from 0."""
    return _number(text, 1e12)


def _number(text: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {most:g}, got {text!r}")
    return number

"""Asking a teacher: what each request is known by, the journal of its answers, and what asking has cost so far."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
from inference.chat import ChatAnswer, ChatEngine, ChatRequest, Message, Refusal
from inference.engines import FINISH_REASONS, choose_engine
from seedkit.errors import InputError
from seedkit.journal import Journal
from seedkit.models import device_kind, devices, model_label, model_revision, resolve_dtype

from teacher.asking_progress import AskingProgress
from teacher.settings import TeacherSettings

ENDPOINT = "endpoint"
JOURNALS = ".answers"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


@dataclass(frozen=True, slots=True)
class Teacher:
    """Who is asked: everything that is settled before a model is loaded or a server is asked."""

    settings: TeacherSettings
    name: str  # without the folder it lies in
    revision: str | None  # None where a server does not say and nobody else does
    engine: str  # one of inference.engines.ENGINES, or ENDPOINT
    devices: list[str]
    dtype: str | None

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this teacher's answers from another's; the header of a journal of answers."""
        return {"teacher": self.name, "revision": self.revision, "engine": self.engine, **self._computed()}

    def describe(self) -> dict[str, Any]:
        """What a manifest says of it."""
        where = {"endpoint": self.settings.endpoint} if self.engine == ENDPOINT else {}
        return {"name": self.name, "revision": self.revision, "engine": self.engine, **where, **self._computed()}

    def _computed(self) -> dict[str, Any]:
        """What decides about last bits where the model runs here."""
        if self.dtype is None:
            return {}
        low = {} if self.dtype == "float32" else {"batch_tokens": self.batch_tokens, "kind": device_kind(self.devices)}
        return {"dtype": self.dtype, "device": self.devices[0].partition(":")[0], **low}

    @property
    def batch_tokens(self) -> int:
        """The most tokens of a batch: prompts, answers and padding."""
        return self.settings.max_batch_tokens or (32768 if self.devices[0].startswith("cuda") else 16384)

    def request(self, messages: Sequence[Message], number: int) -> ChatRequest:
        """The request for one answer to these messages.

        Its key is a hash of messages, sampling, model, revision and the number of the answer; its seed, from 0 to 2^31 - 1,
        which every server takes, is made of the key.
        """
        said = [[list(message) for message in messages], self.settings.sampling, self.name, self.revision, number]
        digest = blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16)
        seed = int.from_bytes(digest.digest()[:4], "big") >> 1
        return ChatRequest(digest.hexdigest(), tuple(messages), self.settings.max_new_tokens, seed)

    def open(self, done: Callable[[str], bool]) -> ChatEngine:
        """The engine; a model that runs here is loaded when it is asked. `done` says which keys are answered already."""
        settings = self.settings
        if settings.endpoint is not None:
            from inference.endpoint_engine import EndpointEngine, EndpointSettings
            from inference.endpoint_replies import ApiKey

            where = EndpointSettings(
                settings.endpoint,
                settings.teacher,
                settings.max_concurrency,
                settings.requests_per_minute or math.inf,
                settings.tokens_per_minute or math.inf,
                settings.give_up_after,
                settings.silence_timeout,
                settings.answer_timeout,
            )
            key = ApiKey.from_environment()
            return EndpointEngine(where, key, temperature=settings.temperature, top_p=settings.top_p)
        from teacher.local_model import LocalModel

        return LocalModel(
            settings.teacher,
            engine=self.engine,
            devices=self.devices,
            dtype=self.dtype or "float32",
            temperature=settings.temperature,
            top_p=settings.top_p,
            max_batch_tokens=self.batch_tokens,
            done=done,
        )


def find_teacher(settings: TeacherSettings) -> Teacher:
    """Who is asked. Raises InputError or UsageError where there is no such model or engine here."""
    if settings.endpoint is not None:
        from inference.endpoint_engine import EndpointSettings

        EndpointSettings(settings.endpoint, settings.teacher)  # so that a bad URL is told now
        return Teacher(settings, settings.teacher, settings.teacher_revision, ENDPOINT, [], None)
    folder = Path(settings.teacher)
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise InputError(f"--teacher {folder}: expected a model folder, found no config.json in it")
    if folder.is_dir() and not any(any(folder.glob(pattern)) for pattern in _WEIGHTS):
        raise InputError(f"--teacher {folder}: expected a model folder, found no weights (*.safetensors) in it")
    on = devices(settings.device)
    engine = choose_engine(settings.engine, on[0])
    dtype = resolve_dtype(settings.dtype, on[0])
    return Teacher(settings, model_label(settings.teacher), model_revision(settings.teacher), engine, on, dtype)


class ChatAnswerCodec:
    """How an answer stands in a line of the journal: its key, and the fields of ChatAnswer."""

    def encode(self, key: str, piece: ChatAnswer) -> dict[str, Any]:
        return {"key": key, **asdict(piece)}

    def decode(self, row: Any) -> tuple[str, ChatAnswer]:
        piece = ChatAnswer(**{name: row[name] for name in ChatAnswer.__dataclass_fields__})
        whole = isinstance(piece.text, str) and piece.finish_reason in FINISH_REASONS
        if not whole or not isinstance(row["key"], str) or not isinstance(piece.seconds, float):
            raise ValueError("expected an answer")
        return row["key"], piece


@contextmanager
def answer_journal(folder: Path, name: str, teacher: Teacher, *, resume: bool) -> "Iterator[Journal[ChatAnswer]]":
    """The journal of a teacher's answers in an output folder."""
    with Journal(folder / JOURNALS, name, teacher.identity, ChatAnswerCodec(), resume=resume) as journal:
        yield journal


def ask(
    teacher: Teacher, requests: Iterable[ChatRequest], count: int, journal: "Journal[ChatAnswer]", label: str
) -> dict[str, str]:
    """Fill the journal with an answer to each request; returns the reasons of those that were refused, by key.

    `count` is how many requests there are. Equal ones are sent once. Raises what ChatEngine.ask raises.
    """
    refused: dict[str, str] = {}
    engine = teacher.open(journal.__contains__)
    with AskingProgress(label, count, engine.failures) as progress:

        def wanted() -> Iterator[ChatRequest]:
            taken = set()
            for request in requests:
                again = request.key in taken
                taken.add(request.key)
                if again or request.key in journal:
                    progress.skipped()
                # a model that runs here must know which requests were computed together
                if not again and (request.key not in journal or teacher.engine != ENDPOINT):
                    yield request

        def keep(found: list[tuple[str, ChatAnswer | Refusal]]) -> None:
            answers = [(key, what) for key, what in found if isinstance(what, ChatAnswer)]
            if answers:
                journal.append(answers)
            refused.update((key, what.reason) for key, what in found if isinstance(what, Refusal))
            progress.came([what for _, what in found])

        engine.ask(wanted(), keep)
    return refused


def cost(settings: TeacherSettings, prompt_tokens: int | None, completion_tokens: int | None) -> float | None:
    """What so many tokens cost, to six digits behind the point; None without prices or counts."""
    if settings.price_in is None and settings.price_out is None:
        return None
    if prompt_tokens is None or completion_tokens is None:
        return None
    parts = (settings.price_in or 0) * prompt_tokens + (settings.price_out or 0) * completion_tokens
    return round(parts / 1e6, 6)

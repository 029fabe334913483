"""The endpoint engine against a server that does everything wrong: nothing is lost, asked twice, sent early, or shown."""

import email.utils
import math
import time
from collections.abc import Iterable

import pytest
from inference.chat import ChatAnswer, ChatRequest, Message, Refusal
from inference.endpoint_engine import TRIES, EndpointEngine, EndpointSettings
from inference.endpoint_replies import ApiKey
from scripted_server import Reply, Script, Seen, completion, plain, refusal, serving
from seedkit.errors import InputError, RunError, UsageError

KEY = "sk-a/longer/secret+key"
Found = dict[str, ChatAnswer | Refusal]


def requests(count: int) -> list[ChatRequest]:
    return [ChatRequest(f"k{n}", (Message("user", f"question {n}"),), 32, n) for n in range(count)]


def ask(url: str, wanted: Iterable[ChatRequest], found: Found, **settings: float) -> EndpointEngine:
    """Ask, with short pauses; each key must come once."""
    values = {"first_pause_s": 0.05, "give_up_after_s": 20, **settings}
    concurrency = int(values.pop("max_concurrency", 8))
    where = EndpointSettings(url, "m", max_concurrency=concurrency, **values)
    engine = EndpointEngine(where, ApiKey(KEY), temperature=0.7, top_p=0.9)

    def keep(pieces: list[tuple[str, ChatAnswer | Refusal]]) -> None:
        for key, what in pieces:
            assert key not in found
            found[key] = what

    engine.ask(wanted, keep)
    return engine


def first(count: int, reply: Reply) -> Script:
    """The first `count` sendings of each request get this reply, the next one an answer."""
    return lambda seen: reply if seen.times <= count else plain(seen)


def test_answers_are_what_the_server_says_and_requests_what_was_asked() -> None:
    found: Found = {}
    with serving() as server:
        ask(server.url, requests(50), found)
    assert server.times == [1] * 50 and server.most_under_way <= 8
    assert [found[f"k{n}"].text.split(" to ")[1] for n in range(50)] == [f"question {n}" for n in range(50)]  # type: ignore[union-attr]
    one = server.seen[0]
    assert one.path == "/v1/chat/completions" and one.headers["authorization"] == f"Bearer {KEY}"
    assert one.body == {
        "model": "m", "messages": [{"role": "user", "content": one.text}], "temperature": 0.7, "top_p": 0.9,
        "max_tokens": 32, "seed": int(one.text.split()[1]),
    }  # fmt: skip
    answer = found["k0"]
    assert isinstance(answer, ChatAnswer)
    assert (answer.finish_reason, answer.prompt_tokens, answer.completion_tokens) == (
        "stop",
        7,
        5,
    ) and answer.seconds > 0


BODY = completion("never whole")
FAULTS = {
    "HTTP 500": refusal(500, "oops"),
    "HTTP 429": refusal(429, "slower"),
    "HTTP 503": refusal(503, "later"),
    "cut off": Reply(BODY, fault="cut"),
    "cut off in half": Reply(BODY, fault="half"),
    "malformed reply": Reply(b'{"choices": [{'),
    "malformed reply, another object": Reply(b'{"object": "list", "data": []}'),
    "malformed reply, no text": Reply(completion(None).replace(b"null", b"7")),
    "timeout": Reply(BODY, fault="silence"),
    "endless reply": Reply(fault="endless"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_what_goes_wrong_is_tried_again_until_it_is_answered(kind: str) -> None:
    found: Found = {}
    with serving(first(2, FAULTS[kind])) as server:
        engine = ask(server.url, requests(6), found, silence_s=0.3)
    assert server.times == [3] * 6
    assert all(isinstance(what, ChatAnswer) for what in found.values()) and len(found) == 6
    assert engine.failures == {kind.partition(",")[0].removesuffix(" in half"): 12}


@pytest.mark.parametrize("how", ["seconds", "date"])
def test_nothing_is_sent_before_its_retry_after(how: str) -> None:
    def script(seen: Seen) -> Reply:
        if seen.number > 3:
            return plain(seen)
        value = "1.2" if how == "seconds" else email.utils.formatdate(math.ceil(time.time()) + 1, usegmt=True)
        return refusal(429, "slower", Retry_After=value)

    found: Found = {}
    with serving(script) as server:
        ask(server.url, requests(6), found, max_concurrency=3)
    assert [isinstance(what, ChatAnswer) for what in found.values()] == [True] * 6
    refused, later = server.seen[:3], server.seen[3:]
    assert later[0].at - refused[-1].at >= (1.2 if how == "seconds" else 0.99)  # a date has whole seconds
    assert sum(server.times) == 9


def test_a_request_that_is_refused_has_a_reason_and_the_others_their_answers() -> None:
    def script(seen: Seen) -> Reply:
        if seen.text == "question 3":
            return refusal(400, f"this is too long, {KEY} {'x' * 5000}")
        if seen.text == "question 4":
            return Reply(completion(None, "content_filter"))
        return plain(seen)

    found: Found = {}
    with serving(script) as server:
        ask(server.url, requests(6), found)
    assert server.times == [1] * 6
    reasons = {key: what.reason for key, what in found.items() if isinstance(what, Refusal)}
    assert reasons["k3"].startswith("HTTP 400: this is too long, [key] xxx") and len(reasons["k3"]) < 400
    assert reasons["k4"] == "no text, finish_reason content_filter" and len(reasons) == 2


def test_a_request_that_always_fails_is_given_up_and_the_others_are_not() -> None:
    found: Found = {}
    with serving(lambda seen: refusal(500, "poison") if seen.text == "question 0" else plain(seen)) as server:
        ask(server.url, requests(30), found, first_pause_s=0.01)
    assert found.pop("k0") == Refusal(f"HTTP 500: poison, {TRIES} times")
    assert all(isinstance(what, ChatAnswer) for what in found.values())
    assert sorted(server.times) == [1] * 29 + [TRIES]


def test_a_server_that_takes_no_more_for_now_is_asked_for_as_long_as_it_takes() -> None:
    found: Found = {}
    with serving(
        lambda seen: refusal(429, "slower") if seen.times <= TRIES + 3 and seen.text != "question 9" else plain(seen)
    ) as server:
        ask(server.url, requests(10), found, first_pause_s=0.001)
    assert len(found) == 10 and all(isinstance(what, ChatAnswer) for what in found.values())
    assert max(server.times) == TRIES + 4


@pytest.mark.parametrize("value", ["1e300", "-5", "nan", "soon", "Mon, 01 Jan 0001 00:00:00 GMT"])
def test_a_retry_after_that_makes_no_sense_does_no_harm(value: str) -> None:
    found: Found = {}
    with serving(first(1, refusal(503, "later", Retry_After=value))) as server:
        if value == "1e300":
            with pytest.raises(RunError, match="nothing succeeded for 1 s"):
                ask(server.url, requests(3), found, give_up_after_s=1)
        else:
            ask(server.url, requests(3), found)
            assert len(found) == 3


STOPPING = {
    "a wrong key": (refusal(401, f"Incorrect API key provided: {KEY}"), InputError, "it refuses OPENAI_API_KEY"),
    "no right": (refusal(403, "no"), InputError, "it refuses OPENAI_API_KEY (HTTP 403: no)"),
    "a wrong model": (refusal(404, "The model `m` does not exist."), InputError, "no such model"),
    "a redirection": (
        Reply(status=307, headers={"Location": f"http://other/{KEY}"}),
        InputError,
        "'http://other/[key]'",
    ),
    "no money": (refusal(402, "pay"), RunError, "paid first"),
}


@pytest.mark.parametrize("what", STOPPING)
def test_what_no_request_would_survive_ends_the_run_at_once(what: str) -> None:
    reply, kind, words = STOPPING[what]
    with serving(lambda seen: reply) as server, pytest.raises(kind) as caught:
        ask(server.url, requests(100), {})
    assert words in str(caught.value) and KEY not in str(caught.value) and "\n" not in str(caught.value)
    assert server.count <= 8


def test_a_server_that_is_gone_is_given_up_and_what_was_answered_is_kept() -> None:
    found: Found = {}
    with serving(lambda seen: plain(seen) if seen.number <= 20 else refusal(503, "gone")) as server:
        began = time.monotonic()
        with pytest.raises(
            RunError, match=r"nothing succeeded for 1 s, at last: HTTP 503: gone; .* run again to resume"
        ):
            ask(server.url, requests(100), found, give_up_after_s=1)
        assert time.monotonic() - began < 10
    assert len(found) == 20


def test_a_server_that_is_not_there_is_given_up() -> None:
    with serving() as server:
        url = server.url
    with pytest.raises(RunError, match="nothing succeeded for 0.5 s, at last: .*Connect"):
        ask(url, requests(100), {}, give_up_after_s=0.5)


def test_concurrency_grows_to_its_bound_and_is_halved_by_429() -> None:
    limit = 10

    def script(seen: Seen) -> Reply:
        answer = plain(seen)
        return Reply(answer.body, delay_s=0.1)

    found: Found = {}
    with serving(script) as server:
        ask(server.url, requests(300), found, max_concurrency=40)
    assert server.most_under_way == 40
    with serving() as server:

        def crowded(seen: Seen) -> Reply:
            return refusal(429, "too many") if server._under_way > limit else Reply(plain(seen).body, delay_s=0.02)

        server.script = crowded
        found = {}
        engine = ask(server.url, requests(400), found, max_concurrency=200, first_pause_s=0.01)
    assert len(found) == 400 and all(isinstance(what, ChatAnswer) for what in found.values())
    assert engine.failures["HTTP 429"] < 200  # without halving nearly every sending would be refused


def test_no_more_requests_a_minute_than_allowed() -> None:
    found: Found = {}
    with serving() as server:
        ask(server.url, requests(12), found, requests_per_minute=600)
    gaps = [after.at - before.at for before, after in zip(server.seen, server.seen[1:], strict=False)]
    assert (
        sum(gaps) >= 1.0 and len(found) == 12
    )  # eleven gaps of a tenth of a second, less what the network adds to the first


def test_no_more_tokens_a_minute_than_allowed() -> None:
    found: Found = {}
    with serving() as server:  # each takes 12 tokens, and is thought to take 34
        ask(server.url, requests(12), found, tokens_per_minute=6000, max_concurrency=1)
    assert server.seen[-1].at - server.seen[0].at >= 11 * 12 / 100 * 0.9


def test_a_proxy_of_the_environment_is_for_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Found = {}
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving() as proxy, serving() as server:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        ask(server.url, requests(2), found)
        assert len(found) == 2 and proxy.count == 0 and server.count == 2
        ask("http://host.invalid/v1", requests(1), {})
    assert proxy.count == 1 and proxy.seen[0].path == "http://host.invalid/v1/chat/completions"


def test_a_full_disk_ends_the_run() -> None:
    def keep(_: object) -> None:
        raise OSError(28, "No space left on device", "/full/disk")

    with serving() as server, pytest.raises(OSError, match="No space left"):
        where = EndpointSettings(server.url, "m", max_concurrency=4)
        EndpointEngine(where, ApiKey(""), temperature=0, top_p=1).ask(requests(50), keep)
    assert server.count <= 12


def test_the_key_is_in_no_answer_no_message_and_no_repr() -> None:
    found: Found = {}
    with serving(lambda seen: Reply(completion(f"your key is {seen.headers['authorization']}"))) as server:
        engine = ask(server.url, requests(1), found)
    assert found["k0"].text == "your key is Bearer [key]"  # type: ignore[union-attr]
    assert KEY not in repr(engine._key) + repr(engine.settings) + repr(vars(engine))
    assert ApiKey("EMPTY").hide_in_answer("EMPTY = 0") == "EMPTY = 0"  # what vLLM's manual has for a key
    with pytest.raises(UsageError) as caught:
        ApiKey("sk-two\nlines")
    assert "sk-two" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["ftp://host/v1", "host/v1", "http://user:pass@host/v1", "http://host/v1?key=abc", "http:///v1"]
)
def test_a_url_that_is_none_is_refused_and_no_secret_of_it_shown(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        EndpointSettings(url, "m")
    assert "pass" not in str(caught.value) and "abc" not in str(caught.value)

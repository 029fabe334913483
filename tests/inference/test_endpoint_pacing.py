"""Concurrency by slow start, additive increase and multiplicative decrease; pauses; Retry-After."""

import asyncio
import email.utils
import time
from datetime import UTC, datetime, timedelta

import pytest
from inference.endpoint_pacing import FIRST_LIMIT, LONGEST_PAUSE_S, Pace, pause_s, retry_after_s


def test_the_limit_doubles_at_first_and_grows_by_one_a_round_after_it_was_halved() -> None:
    pace = Pace(100)
    for _ in range(FIRST_LIMIT):
        pace.succeeded()
    assert pace.limit == 2 * FIRST_LIMIT
    for _ in range(1000):
        pace.succeeded()
    assert pace.limit == 100
    sent = time.monotonic()
    pace.overloaded(sent)
    assert pace.limit == 50
    pace.overloaded(sent)  # of the same round
    assert pace.limit == 50
    for _ in range(50):
        pace.succeeded()
    assert 50.9 < pace.limit <= 51
    for _ in range(20):
        pace.overloaded(time.monotonic() + 1)
    assert pace.limit == 1.0


def test_no_more_are_under_way_than_the_limit_and_all_get_their_turn() -> None:
    most = 0

    async def run() -> None:
        pace = Pace(3)

        async def one() -> None:
            nonlocal most
            await pace.enter(1)
            most = max(most, pace.under_way)
            await asyncio.sleep(0.001)
            pace.leave()

        await asyncio.gather(*(one() for _ in range(50)))
        assert pace.under_way == 0

    asyncio.run(run())
    assert most == 3


def test_a_pause_holds_for_all_and_an_own_one_for_its_request_alone() -> None:
    async def run() -> list[float]:
        pace, began = Pace(8), time.monotonic()
        waiting = asyncio.create_task(pace.enter(1, began + 0.2))
        first = await pace.enter(1)
        pace.pause(began + 0.1)
        second = await pace.enter(1)
        return [when - began for when in (first, second, await waiting)]

    first, second, own = asyncio.run(run())
    assert first < own and second >= 0.1 and own >= 0.2


def test_pauses_double_up_to_the_longest_and_are_jittered() -> None:
    for failures in range(1, 40):
        base = min(LONGEST_PAUSE_S, 2.0 ** (failures - 1))
        found = {pause_s(failures, 1.0) for _ in range(50)}
        assert 0.5 * base <= min(found) and max(found) <= base and len(found) > 10


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("-3", 0),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("soon", None),
        ("99999999999999999999", 1e20),
    ],
)
def test_retry_after(value: str, expected: float | None) -> None:
    assert retry_after_s({"Retry-After": value}) == (expected if expected is None else pytest.approx(expected))


def test_retry_after_as_a_date() -> None:
    for delta, low, high in ((90, 88, 90), (-90, 0, 0)):
        date = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=delta), usegmt=True)
        found = retry_after_s({"Retry-After": date})
        assert found is not None and low <= found <= high

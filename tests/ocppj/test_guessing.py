"""Who asks for one id tag after the other is answered rightly, and ever more slowly (M25)."""

from __future__ import annotations

import asyncio

import pytest

from csms.domain.authorization import AuthorizationStatus, IdTagInfo
from csms.ocppj.conversation import Call
from csms.ocppj.handlers import FREE_GUESSES, Handlers
from csms.ocppj.serving import Station
from tests.fakes import FakeClock
from tests.ocppj.standins import record


class KnowsOneTag:
    """An intake whose commits are at once."""

    def put(self, fact, done):
        done(self._of(fact))

    async def submit(self, fact):
        return self._of(fact)

    @staticmethod
    def _of(fact):
        known = fact.id_tag == "KNOWN"
        return IdTagInfo(
            status=AuthorizationStatus.ACCEPTED if known else AuthorizationStatus.INVALID
        )


class Bench:
    def __init__(self, schemas):
        self.clock = FakeClock()
        self.handlers = Handlers(KnowsOneTag(), schemas, self.clock)
        self.stations = {key: Station(record(key, f"CP{key}")) for key in (1, 2)}
        self.answers = []

    def ask(self, tag, key=1):
        """Ask; returns what has to be awaited for the answer, None when it is there."""
        call = Call("1", "Authorize", {"idTag": tag}, "raw")
        at = self.clock.now()
        return self.handlers.handle(
            self.stations[key], call, at, lambda answer, repairs: self.answers.append(answer)
        )

    def guess(self, count, key=1):
        for number in range(count):
            assert self.ask(f"T{number}", key) is None


@pytest.fixture
def b(schemas):
    return Bench(schemas)


async def test_beyond_so_many_unknown_tags_answers_are_late_and_right(b):
    b.guess(FREE_GUESSES)
    assert {answer["idTagInfo"]["status"] for answer in b.answers} == {"Invalid"}
    for tag, status in (("T", "Invalid"), ("KNOWN", "Accepted")):
        slow = b.ask(tag)
        assert slow is not None
        waiting = asyncio.ensure_future(slow())
        await b.clock.settle()
        before = len(b.answers)
        await b.clock.advance(1)
        await waiting
        assert len(b.answers) == before + 1
        assert b.answers[-1]["idTagInfo"]["status"] == status


async def test_it_is_forgotten_with_time_and_touches_no_other_station(b):
    b.guess(FREE_GUESSES)
    assert b.ask("T") is not None
    assert b.ask("T", key=2) is None
    await b.clock.advance(60)
    b.guess(59)


async def test_known_tags_are_no_guesses(b):
    for _ in range(3 * FREE_GUESSES):
        assert b.ask("KNOWN") is None

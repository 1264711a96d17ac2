"""What goes to Postgres by the short ways of the intake arrives as it was, however odd."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.errors import BadFact
from csms.store import intake
from csms.store.held import HeldConnection
from csms.store.intake import _array

TEXTS = ["", " ", "null", "NULL", "{}", "a,b", '"', "\\", '\\"', "\n\t", "\x01", "ü", "🔌", "a\\nb"]
TIMES = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_998, tzinfo=UTC),
    datetime(2026, 11, 21, 12, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=5, minutes=45))),
]


@pytest.fixture
async def held(postgres_url):
    connection = HeldConnection(postgres_url, {})
    yield connection
    connection.close()


def test_examples_in_docstrings():
    result = doctest.testmod(intake)
    assert (result.attempted, result.failed) == (2, 0)


@given(st.lists(st.one_of(st.none(), st.integers(-(2**70), 2**70)), max_size=5))
def test_numbers_are_written_as_they_are(numbers):
    words = _array(tuple(numbers))[1:-1].split(",") if numbers else []
    assert [None if word == "null" else int(word) for word in words] == numbers


async def test_texts_arrive_as_they_are(held):
    async with held.connection() as connection:
        for texts in (TEXTS, [None, *TEXTS], *([text] for text in TEXTS), [], [None]):
            sent = _array(tuple(texts))
            assert await connection.fetchval("SELECT $1::text::text[]", sent) == texts


@pytest.mark.parametrize("odd", ["a\0b", "\ud800"])
async def test_a_text_that_no_database_takes_is_a_bad_fact(held, odd):
    with pytest.raises(BadFact):
        async with held.connection() as connection:
            await connection.fetchval("SELECT $1::text::text[]", _array(("well", odd)))


async def test_a_number_that_does_not_fit_is_a_bad_fact(held):
    with pytest.raises(BadFact):
        async with held.connection() as connection:
            await connection.fetchval("SELECT $1::text::int[]", _array((1, 2**31)))


async def test_times_arrive_as_they_are(held):
    async with held.connection() as connection:
        assert await connection.fetchval("SELECT $1::timestamptz[]", TIMES) == TIMES
        texts = await connection.fetchval("SELECT $1::timestamptz[]::text[]", TIMES[:1])
        assert texts == ["1970-01-01 00:00:00+00"]
        ends = await connection.fetchrow("SELECT 'infinity'::timestamptz, '-infinity'::timestamptz")
        assert [end.year for end in ends] == [9999, 1]
        assert all(end.tzinfo is UTC for end in ends)

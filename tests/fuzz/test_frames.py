"""No frame ever kills a connection's task, blocks the loop, or reaches another station."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.harness import play
from tests.fuzz.seeds import FRAMES, WORDS
from tests.many import many

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """A known frame with some places cut, doubled, swapped or replaced."""
    frame = draw(st.sampled_from(FRAMES))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(frame)))
        end = draw(st.integers(at, min(len(frame), at + 30)))
        piece = draw(
            st.one_of(
                st.just(""),
                st.sampled_from(WORDS),
                texts,
                st.just(frame[at:end] * 2),
                st.sampled_from(FRAMES),
            )
        )
        frame = frame[:at] + piece + frame[end:]
    return frame


@pytest.mark.parametrize("strict", [False, True])
@given(st.lists(st.one_of(mutants(), texts, st.sampled_from(FRAMES)), max_size=12))
@example(["[" * 100_000, '[2,"1","Heartbeat",{' + '"a":{' * 50_000])
@example(['["' + '"' * 60_000, "[2," + "[{" * 30_000, '[2,"1","X",{"a":' + "9" * 60_000])
@example(['[2,"1","DataTransfer",{"vendorId":1,"data":' + "[" * 200 + "]" * 200 + "}]"])
@example(['[2,"1","Authorize",{"idTag":[99999999999999999999]}]'])
@example(['[2,"1","MeterValues",{"connectorId":"1","meterValue":[' + '{"x":1},' * 5_000])
@example(['[2,"1","Authorize",{"idTag":\0\1a}]'])
@many(300)
def test_whatever_a_station_sends(strict, frames):
    play(frames, strict=strict)


@pytest.mark.slow
@given(st.lists(mutants(), min_size=70, max_size=90))
@many(5)
def test_floods_of_broken_frames(frames):
    play(frames)

"""What the fuzzing checks would see if it were so."""

from __future__ import annotations

import pytest

from csms.ocppj import messages
from csms.ocppj.conversation import Conversation
from tests.fuzz.harness import MOST_CALLS, MOST_CALLS_A_CHARACTER, play

AUTHORIZE = '[2,"1","Authorize",{"idTag":"A"}]'


def test_well_formed_frames_pass():
    play([AUTHORIZE, '[3,"x",{}]', ""])


def test_an_error_inside_is_seen(monkeypatch):
    monkeypatch.setattr(messages, "authorize", lambda payload, source: 1 / 0)
    with pytest.raises(AssertionError, match="InternalError"):
        play([AUTHORIZE])


def test_a_frame_that_breaks_the_reader_is_seen(monkeypatch):
    receive = Conversation.receive

    def breaks(self, raw):
        if raw == "boom":
            raise ValueError
        return receive(self, raw)

    monkeypatch.setattr(Conversation, "receive", breaks)
    with pytest.raises(ValueError):
        play(["boom"])


def test_a_fact_of_another_station_is_seen(monkeypatch):
    authorize = messages.authorize

    def mixed_up(payload, source):
        source.charge_point = 2
        return authorize(payload, source)

    monkeypatch.setattr(messages, "authorize", mixed_up)
    with pytest.raises(AssertionError):
        play([AUTHORIZE])


def test_a_frame_that_blocks_is_seen(monkeypatch):
    def slow(payload, source):
        for number in range(MOST_CALLS + MOST_CALLS_A_CHARACTER * len(AUTHORIZE)):
            abs(number)
        return authorize(payload, source)

    authorize = messages.authorize
    monkeypatch.setattr(messages, "authorize", slow)
    with pytest.raises(AssertionError, match=r"\d+ calls for 33 characters"):
        play([AUTHORIZE])


def test_a_call_without_an_answer_is_seen(monkeypatch):
    monkeypatch.setattr(Conversation, "result", lambda self, call, payload: '[3,"other",{}]')
    with pytest.raises(AssertionError):
        play([AUTHORIZE])

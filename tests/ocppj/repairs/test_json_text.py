"""Broken JSON: what it means is read, what the end has cut is left out, nothing takes long."""

from __future__ import annotations

import json
import time

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from csms.ocppj.repairs.json_text import LONGEST, Unmendable, mend
from tests.many import many

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner)
    ),
    max_leaves=12,
)
frames = st.lists(values, min_size=2, max_size=5)
PIECES = ['"', "'", "\\", "[", "]", "{", "}", ",", ":", "\x00", "\n", "tru", "NaN", "1", "-", "\\u"]


@given(frames)
@many(300)
def test_good_json_means_what_it_says(frame):
    text = orjson.dumps(frame).decode()
    found, names = mend(text)
    assert found == orjson.loads(text)
    assert names == ()


@given(frames, st.integers(0, 60))
@many(300)
def test_a_cut_frame_has_no_value_that_the_whole_one_has_not(frame, cut):
    text = orjson.dumps(frame).decode()
    try:
        found, _ = mend(text[: len(text) - cut])
    except Unmendable:
        return
    assert is_part(found, orjson.loads(text))


def is_part(part, whole) -> bool:
    match part, whole:
        case list(), list():
            pairs = zip(part, whole, strict=False)
            return len(part) <= len(whole) and all(is_part(a, b) for a, b in pairs)
        case dict(), dict():
            return all(key in whole and is_part(part[key], whole[key]) for key in part)
    return part == whole


@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
        st.lists(st.sampled_from(PIECES), max_size=60).map(lambda parts: "[2," + "".join(parts)),
    )
)
@example("[" * 60_000)
@example('["' + '"' * 60_000)
@example('["' + '" ' * 30_000)
@example("[{" * 30_000)
@example("[" + "9" * 5_000 + "]")
@example("[1e999999]")
@example('["\\ud800\\ud800"]')
@many(500)
def test_whatever_comes_there_is_an_array_or_a_refusal(text):
    try:
        found, _ = mend(text)
    except Unmendable:
        return
    assert isinstance(found, list)
    orjson.dumps(found)  # it can be written again: no NaN, no half of a pair


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[2,"1","X",{"a":1,}]', {"a": 1}),
        ('[2,"1","X",{,"a":1,,"b":2}]', {"a": 1, "b": 2}),
        ('[2,"1","X",{"a":"x" "b":1}]', {"a": "x", "b": 1}),
        ('[2,"1","X"{"a":1}]', {"a": 1}),
        ('[2,"1","X",{"a":}]', {"a": None}),
        ('[2,"1","X",{"a":1}}]', {"a": 1}),
        ('[2,"1","X",{"a":[1,2}]', {"a": [1, 2]}),
        ('[2,"1","X",{"a":15', {}),  # it may have been 150
        ('[2,"1","X",{"a":"bc', {}),
        ('[2,"1","X",{"a":true', {}),
        ('[2,"1","X",{"a":1,"b', {"a": 1}),
        ('[2,"1","X",{"value":""Energy","Power""}]', None),
        ('[2,"1","X",{"value":""Energy,Power""}]', {"value": '"Energy,Power"'}),
        ('[2,"1","X",{"t":2026-03-01T12:00:00Z}]', {"t": "2026-03-01T12:00:00Z"}),
        ('[2,"1","X",{"a":  12  ,"b":-.5,"c":00}]', {"a": 12, "b": -0.5, "c": 0}),
        ('[2,"1","X",{"p":"C:\\path\\n"}]', {"p": "C:\\path\n"}),
        ('[2,"1","X",{"a":"\\ud83d\\ude00","b":b}]', {"a": "\U0001f600", "b": "b"}),
        ('\x00\ufeff[2,"1","X",{}]\r\n\x00garbage', {}),
        ('[2,"1","X",{"a":1}][2,"2","Y",{}]', {"a": 1}),
        ('2,"1","X",{"a":1}', {"a": 1}),
    ],
)
def test_what_broken_texts_mean(text, found):
    frame, names = mend(text)
    assert frame[:3] == [2, "1", "X"]
    assert names
    if found is not None:
        assert frame[3] == found


@pytest.mark.parametrize("text", ["", "x", "{}", "[:]", "[" * 100, "[1" + " " * LONGEST])
def test_what_is_no_array_in_any_reading(text):
    with pytest.raises(Unmendable):
        mend(text)


def test_the_longest_text_takes_no_longer_than_many_good_frames_take():
    sample = '{"value":"1","x":\'1\',},'
    text = "[2,'1','X',[" + sample * (LONGEST // len(sample) - 2)
    good = json.dumps(mend(text)[0])

    def takes_s(work, times):
        began = time.process_time()
        for _ in range(times):
            work()
        return time.process_time() - began

    # the best of some: a machine that is shared or collects garbage only ever adds to it
    mending_s = min(takes_s(lambda: mend(text), 1) for _ in range(5))
    reading_s = max(takes_s(lambda: json.loads(good), 100) for _ in range(2))
    assert mending_s < max(5 * reading_s, 1.0)  # looking at the rest again and again: minutes

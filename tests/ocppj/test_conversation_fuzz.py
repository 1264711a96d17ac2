"""Whatever arrives: one event, no exception, and at most one call of each id in work."""

from __future__ import annotations

import json

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from csms.domain.masking import mask
from csms.ocppj.conversation import Answered, Call, Closing, Conversation, Dropped, Reply
from tests.many import many

ids = st.one_of(st.sampled_from(["a", "b", "u"]), st.text(max_size=300), st.integers(), st.none())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
frames = st.lists(
    st.one_of(
        st.sampled_from([2, 3, 4]), ids, st.sampled_from(["Heartbeat", "Reset"]), json_values
    ),
    max_size=6,
).map(lambda parts: json.dumps(parts, ensure_ascii=False))
shaped = st.tuples(
    st.sampled_from([2, 3, 4, 5]), ids, st.sampled_from(["Heartbeat", "Reset"]), json_values
).map(lambda parts: json.dumps(list(parts)))
cut = st.tuples(shaped, st.integers(0, 80)).map(lambda both: both[0][: both[1]])


@given(st.lists(st.one_of(st.text(max_size=200), frames, shaped, cut), max_size=30))
@example(["[" * 100_000])
@example(['[2,"a","X",' + "9" * 6000 + "]"])
@example(["\ud800"])
@example(['[2,"\\ud800","X",{}]'])
@example(['[2,"a\x00","X",{}]'])
@example(['[2,1e999,"X",{}]'])
@many(300)
def test_anything_may_be_received(raws: list[str]):
    talk = Conversation()
    talk.open_call("u", "Reset")
    for raw in raws:
        before = talk.waiting
        event = talk.receive(raw)
        match event:
            case Call():
                assert talk.waiting == before + 1
                if len(raw) % 2:
                    talk.result(event, {})
            case Reply():
                assert orjson.loads(event.text)[1] == event.message_id
            case Answered():
                assert talk.open_id is None
            case Dropped() | Closing():
                assert talk.waiting == before


@given(st.binary(max_size=200))
def test_bytes_that_are_no_text_never_come_this_far_but_would_do_no_harm(data: bytes):
    Conversation().receive(data.decode("utf-8", "surrogateescape"))


@given(
    st.one_of(st.text(max_size=300), frames), st.sampled_from([None, "GetConfiguration", "GetLog"])
)
def test_masking_takes_any_text(raw: str, action: str | None):
    assert isinstance(mask(action, raw), str)

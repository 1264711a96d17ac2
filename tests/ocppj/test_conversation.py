"""The RPC rules R01-R10 and R18-R24, without a socket."""

from __future__ import annotations

import json

import pytest

from csms.ocppj.call_errors import ErrorCode, Refused
from csms.ocppj.conversation import (
    MOST_UNREADABLE,
    Answered,
    Call,
    Closing,
    Conversation,
    Dropped,
    Reply,
    call_text,
)
from csms.ocppj.repairs.tolerance import ALLOWED_AT_ONCE, ALLOWED_PER_S, Repairs, Tolerance
from tests.fakes import FakeClock
from tests.ocppj.standins import record

START = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "1970-01-01T00:00:00Z"}


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


def frame(*parts: object) -> str:
    return json.dumps(list(parts))


def error_of(event: object) -> tuple[str, str]:
    """Id and code of the CALLERROR that an event answers with."""
    assert isinstance(event, Reply), event
    kind, message_id, code, description, details = json.loads(event.text)
    assert kind == 4
    assert isinstance(description, str)
    assert details == {}
    return message_id, code


class TestCalls:
    def test_r01_a_call_has_four_elements_and_its_answer_three(self, talk):
        call = talk.receive(frame(2, "a", "Heartbeat", {}))
        assert isinstance(call, Call)
        assert (call.message_id, call.action, call.payload) == ("a", "Heartbeat", {})
        assert talk.result(call, {"x": 1}) == '[3,"a",{"x":1}]'

    def test_r01_an_error_has_five_elements(self, talk):
        call = talk.receive(frame(2, "a", "Heartbeat", {}))
        text = talk.error(call, Refused(ErrorCode.INTERNAL_ERROR, ""))
        assert json.loads(text) == [4, "a", "InternalError", "", {}]

    def test_r02_a_null_payload_is_an_empty_one(self, talk):
        call = talk.receive(frame(2, "a", "Heartbeat", None))
        assert isinstance(call, Call)
        assert call.payload == {}

    @pytest.mark.parametrize("length", [1, 36])
    def test_r03_ids_up_to_36_characters_are_taken(self, talk, length):
        assert isinstance(talk.receive(frame(2, "é" * length, "Heartbeat", {})), Call)

    @pytest.mark.parametrize("bad_id", ["", "x" * 37, "x" * 256])
    def test_r03_empty_and_long_ids_are_refused_with_the_id(self, talk, bad_id):
        event = talk.receive(frame(2, bad_id, "Heartbeat", {}))
        assert error_of(event) == (bad_id, "FormationViolation")

    def test_r03_a_number_is_refused_and_echoed_as_text(self, talk):
        assert error_of(talk.receive(frame(2, 17, "Heartbeat", {}))) == (
            "17",
            "FormationViolation",
        )

    def test_r03_ids_beyond_256_characters_are_dropped(self, talk):
        assert isinstance(talk.receive(frame(2, "x" * 257, "Heartbeat", {})), Dropped)

    def test_r04_the_id_of_a_call_in_work_is_refused(self, talk):
        first = talk.receive(frame(2, "a", "Heartbeat", {}))
        event = talk.receive(frame(2, "a", "Heartbeat", {}))
        assert error_of(event) == ("a", "ProtocolError")
        assert talk.result(first, {}) == '[3,"a",{}]'

    def test_r05_the_same_call_again_gets_the_stored_answer(self, talk):
        call = talk.receive(frame(2, "a", "StartTransaction", {"connectorId": 1}))
        answer = talk.result(call, {"transactionId": 7})
        again = talk.receive(frame(2, "a", "StartTransaction", {"connectorId": 1}))
        assert isinstance(again, Reply)
        assert (again.text, again.refused) == (answer, None)

    def test_r05_a_stored_error_is_repeated_too(self, talk):
        call = talk.receive(frame(2, "a", "Heartbeat", {"x": 1}))
        answer = talk.error(call, Refused(ErrorCode.FORMATION_VIOLATION, "x"))
        assert talk.receive(frame(2, "a", "Heartbeat", {"x": 1})).text == answer

    def test_r05_the_same_id_with_another_payload_is_refused(self, talk):
        talk.result(talk.receive(frame(2, "a", "Authorize", {"idTag": "1"})), {})
        event = talk.receive(frame(2, "a", "Authorize", {"idTag": "2"}))
        assert error_of(event) == ("a", "ProtocolError")

    def test_r05_only_the_last_few_answers_are_remembered(self, talk):
        for n in range(6):
            talk.result(talk.receive(frame(2, f"{n}", "Heartbeat", {})), {})
        assert isinstance(talk.receive(frame(2, "0", "Heartbeat", {})), Call)
        assert isinstance(talk.receive(frame(2, "5", "Heartbeat", {})), Reply)

    def test_r24_several_calls_may_wait(self, talk):
        calls = [talk.receive(frame(2, f"{n}", "Heartbeat", {})) for n in range(5)]
        assert talk.waiting == 5
        for call in calls:
            talk.result(call, {})
        assert talk.waiting == 0


class TestShapes:
    @pytest.mark.parametrize(
        "parts",
        [
            (2, "a"),
            (2, "a", "Heartbeat"),
            (2, "a", "Heartbeat", {}, {}),
            (2, "a", "Heartbeat", []),
            (2, "a", "Heartbeat", "x"),
            (2, "a", "Heartbeat", 0),
            (2, "a", 5, {}),
            (2, "a", None, {}),
            ("2", "a", "Heartbeat", {}),
            (2.0, "a", "Heartbeat", {}),
            (True, "a", "Heartbeat", {}),
        ],
    )
    def test_r10_wrong_shapes_are_refused_with_the_id(self, talk, parts):
        assert error_of(talk.receive(frame(*parts))) == ("a", "FormationViolation")

    @pytest.mark.parametrize("kind", [0, 1, 5, -2, 10**18])
    def test_r06_unknown_message_types_are_ignored(self, talk, kind):
        event = talk.receive(frame(kind, "a", "Heartbeat", {}))
        assert isinstance(event, Dropped)
        assert event.type == kind

    @pytest.mark.parametrize(
        "raw",
        [
            "x",
            "{}",
            "[]",
            "[2]",
            "null",
            "17",
            '"text"',
            '{"a": 1}',
            '[2, {"a": 1}, "Heartbeat", {}]',
            '[2, null, "Heartbeat", {}]',
            '[2, ["a"], "Heartbeat", {}]',
            "[[[[",
            "[" * 200_000,
            "9" * 5_000,
            "\ud800",
            '["\x00',
        ],
    )
    def test_r09_without_a_readable_id_there_is_no_answer(self, talk, raw):
        assert isinstance(talk.receive(raw), Dropped)

    @pytest.mark.parametrize(
        "raw",
        [
            '[2,"a","Heartbeat",{',
            '[2,"a","Heartbeat",{}',
            ' [ 2 , "a" , "MeterValues", {"transactionId":,}]',
            '[2,"a","Heartbeat",{"x":NaN}]',
            '[2,"a","Heartbeat",{"x":1e400}]',
            '[2,"a","Heartbeat",{"x":"\\ud800"}]',
            '[2,"a","Heartbeat",' + '{"x":' * 2000 + "1" + "}" * 2000 + "]",
            '[2,"a"',
            '\ufeff[2,"a","Heartbeat",{}]',
        ],
    )
    def test_r09_r30_broken_json_with_a_readable_id_is_refused(self, talk, raw):
        assert error_of(talk.receive(raw)) == ("a", "FormationViolation")

    def test_r09_the_action_of_a_broken_call_is_recovered(self, talk):
        event = talk.receive('[2,"a","StopTransaction",{"transactionId":,')
        assert event.action == "StopTransaction"

    @pytest.mark.parametrize("raw", ["x", '[2,"a","Heartbeat",{', "[2]"])
    def test_r09_ten_unreadable_frames_in_a_row_end_the_connection(self, talk, raw):
        events = [talk.receive(raw) for _ in range(MOST_UNREADABLE)]
        assert not any(isinstance(event, Closing) for event in events[:-1])
        assert isinstance(events[-1], Closing)
        assert events[-1].code in (1007, 1008)

    def test_r09_a_readable_frame_starts_the_count_again(self, talk):
        for n in range(3 * MOST_UNREADABLE):
            event = talk.receive("x" if n % 5 else frame(2, f"{n}", "Heartbeat", {}))
            assert not isinstance(event, Closing)

    def test_empty_frames_keep_a_line_alive_and_are_not_counted(self, talk):
        for _ in range(3 * MOST_UNREADABLE):
            assert isinstance(talk.receive(" "), Dropped)


class TestOurCalls:
    def test_compact_json_in_the_order_given(self):
        assert (
            call_text("u", "ChangeConfiguration", {"value": "1", "key": "é"})
            == '[2,"u","ChangeConfiguration",{"value":"1","key":"é"}]'
        )

    def test_r22_only_one_may_be_open(self, talk):
        talk.open_call("u1", "Reset")
        with pytest.raises(RuntimeError):
            talk.open_call("u2", "Reset")

    def test_an_answer_closes_the_call(self, talk):
        talk.open_call("u1", "Reset")
        event = talk.receive(frame(3, "u1", {"status": "Accepted"}))
        assert isinstance(event, Answered)
        assert (event.action, event.payload) == ("Reset", {"status": "Accepted"})
        assert talk.open_id is None

    def test_r02_a_null_answer_is_an_empty_one(self, talk):
        talk.open_call("u1", "UpdateFirmware")
        assert talk.receive(frame(3, "u1", None)).payload == {}

    @pytest.mark.parametrize(
        ("parts", "code", "description"),
        [
            ((4, "u1", "NotSupported", "no", {"a": 1}), "NotSupported", "no"),
            (
                (4, "u1", "OccurrenceConstraintViolation", "no"),
                "OccurrenceConstraintViolation",
                "no",
            ),
            ((4, "u1", "FormatViolation"), "FormatViolation", ""),
            ((4, "u1", "Whatever", None, {}), "Whatever", ""),
            ((4, "u1"), "GenericError", ""),
            ((4, "u1", 5, 6, 7, 8), "GenericError", ""),
            ((4, "u1", "A\0B", "\0", {}), "A\ufffdB", "\ufffd"),
        ],
    )
    def test_r18_r21_errors_of_all_shapes_and_spellings(self, talk, parts, code, description):
        talk.open_call("u1", "Reset")
        event = talk.receive(frame(*parts))
        assert (event.error_code, event.error_description) == (code, description)

    @pytest.mark.parametrize("parts", [(3, "other", {}), (4, "other", "x", "", {}), (3, 1, {})])
    def test_r19_answers_to_calls_that_were_not_sent_are_dropped(self, talk, parts):
        talk.open_call("u1", "Reset")
        assert isinstance(talk.receive(frame(*parts)), Dropped)
        assert talk.open_id == "u1"

    def test_r19_a_late_answer_is_dropped_and_not_taken_for_the_next_call(self, talk):
        talk.open_call("u1", "Reset")
        talk.give_up()
        talk.open_call("u2", "Reset")
        assert isinstance(talk.receive(frame(3, "u1", {"status": "Accepted"})), Dropped)
        assert talk.open_id == "u2"

    @pytest.mark.parametrize("raw", ['[3,"u1",{"configurationKey":[]', '[3,"u1"]', '[3,"u1",{},1]'])
    def test_r20_a_broken_answer_still_ends_the_call(self, talk, raw):
        talk.open_call("u1", "GetConfiguration")
        event = talk.receive(raw)
        assert isinstance(event, Answered)
        assert event.broken
        assert talk.open_id is None

    def test_r23_their_call_while_ours_is_open(self, talk):
        talk.open_call("u1", "Reset")
        call = talk.receive(frame(2, "u1", "Heartbeat", {}))
        assert isinstance(call, Call), "ids of both directions are independent"
        assert talk.open_id == "u1"


class Owner:
    record = record(1)


class TestTolerance:
    """What a tolerant station may do to its message ids (R04, R05) and frames (R09)."""

    @pytest.fixture
    def talk(self, schemas) -> Conversation:
        return Conversation(Tolerance(Repairs(schemas), Owner(), FakeClock()))

    def test_an_id_used_again_for_another_call_is_served(self, talk):
        talk.result(talk.receive(frame(2, "a", "Authorize", {"idTag": "1"})), {})
        event = talk.receive(frame(2, "a", "Authorize", {"idTag": "2"}))
        assert isinstance(event, Call)
        assert event.repairs == ("message_id_reused",)

    @pytest.mark.parametrize("action", ["Heartbeat", "BootNotification", "StatusNotification"])
    def test_with_one_id_for_all_what_tells_the_present_is_not_a_repetition(self, talk, action):
        for _ in range(3):
            event = talk.receive(frame(2, "serial", action, {}))
            assert isinstance(event, Call)
            talk.result(event, {})

    def test_a_fact_that_is_sent_again_gets_the_stored_answer(self, talk):
        call = talk.receive(frame(2, "a", "StartTransaction", START))
        answer = talk.result(call, {"transactionId": 7})
        again = talk.receive(frame(2, "a", "StartTransaction", START))
        assert isinstance(again, Reply)
        assert again.text == answer

    def test_a_start_with_the_id_of_the_stop_before_is_no_repetition_of_the_first_start(self, talk):
        """One id for all and a clock that always says 1970: two starts are equal."""
        talk.result(talk.receive(frame(2, "a", "StartTransaction", START)), {"transactionId": 7})
        talk.result(talk.receive(frame(2, "a", "StopTransaction", {})), {})
        assert isinstance(talk.receive(frame(2, "a", "StartTransaction", START)), Call)

    def test_an_id_in_use_is_served_too_and_both_are_answered(self, talk):
        first = talk.receive(frame(2, "a", "Heartbeat", {}))
        second = talk.receive(frame(2, "a", "MeterValues", {}))
        assert talk.waiting == 2
        assert talk.result(first, {}) == talk.result(second, {}) == '[3,"a",{}]'
        assert talk.waiting == 0

    def test_a_broken_frame_is_read_and_does_not_count_as_unreadable(self, talk):
        for n in range(2 * MOST_UNREADABLE):
            event = talk.receive(f'[2,"{n}","Heartbeat",{{')
            assert isinstance(event, Call)
            assert event.repairs == ("json_unclosed",)
            talk.result(event, {})

    def test_a_broken_answer_is_read(self, talk):
        talk.open_call("u", "GetConfiguration")
        event = talk.receive('[3,"u",{"configurationKey":[]')
        assert isinstance(event, Answered)
        assert (event.payload, event.broken) == ({"configurationKey": []}, False)

    @pytest.mark.parametrize(
        "raw",
        [
            '[[2,"a","Heartbeat",{}]]',
            '"[2,\\"a\\",\\"Heartbeat\\",{}]"',
            '{"messageTypeId":2,"uniqueId":"a","action":"Heartbeat","payload":{}}',
            '{"MessageType":"2","message_id":"a","Action":"Heartbeat"}',
        ],
    )
    def test_wrapped_frames(self, talk, raw):
        event = talk.receive(raw)
        assert isinstance(event, Call)
        assert (event.message_id, event.action, event.payload) == ("a", "Heartbeat", {})

    @pytest.mark.parametrize(
        ("raw", "payload"),
        [
            ('[3,"u"]', {}),
            ('[3,"u",[]]', {}),
            ('[3,"u",{"status":"Accepted"},{}]', {"status": "Accepted"}),
            ('["3","u",null]', {}),
        ],
    )
    def test_answers_of_odd_shapes(self, talk, raw, payload):
        talk.open_call("u", "GetConfiguration")
        event = talk.receive(raw)
        assert isinstance(event, Answered)
        assert (event.payload, event.broken) == (payload, False)
        assert event.repairs

    @pytest.mark.parametrize(
        "raw",
        [
            '[2,"7","Heartbeat",{:::',
            "[2,'7','Heartbeat',{:::",
            '["2","7",:',
            '\x00[2,"7",:',
            "[2,7]",
        ],
    )
    def test_r09_the_id_of_what_cannot_be_mended_is_answered(self, talk, raw):
        assert error_of(talk.receive(raw)) == ("7", "FormationViolation")

    async def test_who_has_used_up_the_allowance_is_answered_with_an_error(self, schemas):
        clock = FakeClock()
        talk = Conversation(Tolerance(Repairs(schemas), Owner(), clock))
        odd = '[2,"1","Heartbeat",{"x":"' + "y" * 60_000 + '",}]'
        events = [talk.receive(odd) for _ in range(ALLOWED_AT_ONCE // 60_000 + 1)]
        assert isinstance(events[0], Call)
        assert error_of(events[-1]) == ("1", "FormationViolation")
        await clock.advance(len(odd) / ALLOWED_PER_S + 1)
        assert isinstance(talk.receive(odd), Call)

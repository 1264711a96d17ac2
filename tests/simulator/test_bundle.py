"""Reading bundles: frames, who answered whom, and what is wrong with a file."""

import pytest

from simulator.bundle import RecordedAnswers, parse_bundle, read_bundle
from simulator.errors import BundleError
from tests.simulator.bundles import BOOT, BOOTED, Recording


def test_calls_find_their_answers_also_when_ids_are_used_again():
    lines = (
        Recording()
        .asks("1", "BootNotification", BOOT, BOOTED)
        .frame("in", [2, "1", "Heartbeat", {}])
        .asked("s", "Reset", {"type": "Soft"}, {"status": "Accepted"})
        .frame("out", [3, "1", {"currentTime": "x"}])
        .frame("in", '[2,"1",')
        .frame("in", [2, "1", "Heartbeat", {}])
        .lines()
    )
    bundle = parse_bundle(lines)
    assert [(one.call.action, one.answer and one.answer.payload) for one in bundle.exchanges] == [
        ("BootNotification", BOOTED),
        ("Heartbeat", {"currentTime": "x"}),
        (None, None),
        ("Heartbeat", None),
    ]
    assert bundle.exchanges[2].call.raw == '[2,"1",'
    assert bundle.exchanges[2].call.content is None
    (asked,) = bundle.asked
    assert (asked.call.payload, asked.answer.payload) == ({"type": "Soft"}, {"status": "Accepted"})
    assert (bundle.station_id, bundle.frames, bundle.is_whole) == ("CP1", 8, True)


def test_a_bundle_that_was_cut_off_is_played_as_far_as_it_goes():
    whole = Recording().asks("1", "Heartbeat", {}, {}).lines()
    assert parse_bundle(whole).is_whole
    assert not parse_bundle(whole[:-1]).is_whole
    assert not parse_bundle([whole[0], whole[1], whole[-1]]).is_whole  # a frame is missing
    torn = parse_bundle([*whole[:2], whole[2][:20]])
    assert (torn.frames, torn.is_whole, torn.exchanges[0].answer) == (1, False, None)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([], "line 1"),
        (["{}\n"], "line 1: no header"),
        (Recording().lines(version=2), "line 1: version 2"),
        (Recording().lines(stationId=""), "line 1: no stationId"),
        ([*Recording().lines(footer=False), "nonsense\n"], "line 2: not JSON"),
        ([*Recording().lines(footer=False), "[]\n"], "line 2: no frame"),
        ([*Recording().lines(footer=False), '{"at":"x"}\n'], "line 2: no frame"),
    ],
)
def test_faults_name_their_line(lines, fault):
    with pytest.raises(BundleError, match=fault):
        parse_bundle(lines)


def test_files_that_cannot_be_read(tmp_path):
    broken = tmp_path / "bundle.jsonl"
    with pytest.raises(BundleError, match=r"bundle\.jsonl"):
        read_bundle(broken)
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(BundleError, match=r"bundle\.jsonl"):
        read_bundle(broken)


def test_recorded_answers_go_by_payload_then_by_order_then_again():
    recording = Recording()
    for number, kind in (("a", "Soft"), ("b", "Hard"), ("c", "Soft")):
        recording.asked(number, "Reset", {"type": kind}, {"status": number})
    answers = RecordedAnswers(parse_bundle(recording.lines()))

    def status(action: str, payload: dict) -> str | None:
        answer = answers.take(action, payload)
        return None if answer is None else answer.payload["status"]

    assert status("ClearCache", {}) is None
    assert status("Reset", {"type": "Hard"}) == "b"
    assert status("Reset", {"type": "Cold"}) == "a"
    assert answers.unused() == {"Reset": 1}
    assert status("Reset", {"type": "Soft"}) == "c"
    assert status("Reset", {"type": "Soft"}) == "c"
    assert answers.unused() == {}

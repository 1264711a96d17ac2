"""Power that fails at any moment: what comes up is what was there, by chance-made lives."""

import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from ocpp.v16 import call

from simulator.charge_point import ChargePointSimulator
from simulator.flash import Flash
from simulator.settings import StationSettings
from tests.simulator.hand_clock import HandClock
from tests.simulator.test_states import ACTIONS, Bench

MORE = {
    "sample": lambda bench: bench.session.sampler.take_due(
        bench.clock.now(), bench.clock.monotonic()
    ),
    "answer": lambda bench: answer(bench),
    "list": lambda bench: bench.station.tags.update_list(
        bench.station.tags.list_version + 1, "Full",
        [{"id_tag": "LISTED", "id_tag_info": {"status": "Accepted"}}],
    ),
    "key": lambda bench: bench.station.configuration.change("BlinkRepeat", "9"),
    "password": lambda bench: bench.station.security.change_key("ab" * 16),
    "event": lambda bench: bench.station.tamper(),
}  # fmt: skip
CHANGES = {**ACTIONS, **MORE}


def answer(bench: Bench) -> None:
    """Have the first message of the queue answered, as ``deliver`` does it."""
    queue = bench.station.queue
    if not len(queue):
        return
    message = queue.messages[0]
    if isinstance(message.payload, call.StartTransaction):
        message.transaction.transaction_id = 4711
        message.transaction.id_tag_status = "Accepted"
        message.transaction.start_acknowledged = True
    elif isinstance(message.payload, call.StopTransaction):
        message.transaction.stop_acknowledged = True
    queue._messages.popleft()
    queue.revision += 1
    message.attempted.set()
    bench.station._on_attempt(message, "answered")


def bench_on(flash: Flash) -> Bench:
    bench = Bench()
    bench.clock = HandClock()
    bench.station = ChargePointSimulator(
        StationSettings(
            identity="CP1", url="ws://nowhere", meter_interval_s=60, password="first password 12"
        ),
        clock=bench.clock,
        memory=flash.of("CP1"),
    )
    bench.session = bench.station.sessions[1]
    bench.station._keeper.come_up()
    bench.session.refresh()
    return bench


def said(message) -> tuple:
    """A queued message without what is settled when it is sent."""
    payload = {
        name: value
        for name, value in vars(message.payload).items()
        if name != "transaction_id" and value is not None
    }
    return message.action, str(payload), message.transaction.transaction_id


@given(st.lists(st.lists(st.sampled_from(sorted(CHANGES)), max_size=12), min_size=2, max_size=4))
@example([["plug", "tag", "a minute", "answer"], ["plug", "tag"], ["answer", "answer"]])
@example([["ev side does not stop", "plug", "tag", "inoperative"], []])
def test_what_comes_up_is_what_was_there(lives):
    with tempfile.TemporaryDirectory() as folder, Flash(Path(folder)) as flash:
        ledger: list[dict] = []
        for names in lives:
            bench = bench_on(flash)
            station, connector = bench.station, bench.session.connector
            assert [one["startTimestamp"] for one in station.ledger.records()] == [
                one["startTimestamp"] for one in ledger
            ], "every transaction of all lives, once"
            for name in names:
                CHANGES[name](bench)
            bench.clock.passed += 0.4
            station.keep()
            # The power fails here; what is left is the file.
            after = bench_on(flash)
            again = after.session.connector
            assert again.meter.register_wh == connector.meter.register_wh
            assert again.operative is (
                connector.operative and not bench.session.becomes_inoperative
            )
            assert again.reservation == connector.reservation or again.reservation is None
            assert list(after.station.profiles.installed) == [
                one for one in station.profiles.installed if one.profile.purpose != "TxProfile"
            ]
            assert after.station.tags.memo() == station.tags.memo()
            assert after.station.security.password == station.security.password
            assert after.station.configuration.values == station.configuration.values
            assert after.station.security_log.memo() == station.security_log.memo()
            waiting = [said(one) for one in station.queue.messages]
            come_up = [said(one) for one in after.station.queue.messages]
            running = connector.transaction
            if running is None:
                assert come_up == waiting
            else:
                assert come_up[:-1] == waiting
                stop = after.station.queue.messages[-1].payload
                assert (stop.meter_stop, stop.reason.value) == (
                    connector.meter.register_wh,
                    "PowerLoss",
                )
            after.station.keep()
            ledger = after.station.ledger.records()
            assert all(one["stopTimestamp"] is not None for one in ledger)

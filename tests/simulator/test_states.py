"""The states of a connector (OCPP 1.6 4.9): no change is made but those of the table."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.charge_point import ChargePointSimulator
from simulator.connector import Reservation
from simulator.profiles import Installed
from simulator.settings import StationSettings
from simulator.vehicle import Vehicle
from tests.simulator.hand_clock import HandClock
from tests.simulator.physics import profile

STATES = (
    "Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Reserved",
    "Unavailable", "Faulted",
)  # fmt: skip
LETTERS = dict(zip(STATES, "ABCDEFGHI", strict=True))
NUMBERS = dict(zip(STATES, range(1, 10), strict=True))

TABLE = {
    "A": {2, 3, 4, 5, 7, 8, 9},
    "B": {1, 3, 4, 5, 6, 9},  # B6 by errata 3.20
    "C": {1, 4, 5, 6, 8, 9},
    "D": {1, 3, 5, 6, 8, 9},
    "E": {1, 3, 4, 6, 8, 9},
    "F": {1, 2, 8, 9},
    "G": {1, 2, 8, 9},
    "H": {1, 2, 3, 4, 5, 9},
    "I": {1, 2, 3, 4, 5, 6, 7, 8},
}


class Bench:
    """A charge point without a network, and what is done to its connector."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.told = ["Available"]
        self.station = ChargePointSimulator(
            StationSettings(identity="CP1", url="ws://nowhere"),
            clock=self.clock,
            on_event=lambda event: (
                self.told.append(str(event.data["status"])) if event.name == "status" else None
            ),
        )
        self.session = self.station.sessions[1]
        self.session.refresh()
        self.told = ["Available"]

    @property
    def edges(self) -> list[str]:
        pairs = zip(self.told, self.told[1:], strict=False)
        return [f"{LETTERS[one]}{NUMBERS[other]}" for one, other in pairs if one != other]

    def do(self, *names: str) -> "Bench":
        for name in names:
            ACTIONS[name](self)
        return self

    def plug(self, stored_wh: float = 10_000) -> None:
        if self.session.connector.vehicle is None:
            self.station.plug(1, Vehicle(stored_wh=stored_wh, target_soc=50))

    def unplug(self) -> None:
        self.station.unplug(1)

    def grant(self) -> None:
        if self.session.connector.transaction is None and self.station.reader.lets_in(
            self.session, "TAG"
        ):
            self.session.grant("TAG")

    def stop(self) -> None:
        self.session.end_transaction("Local", "TAG")

    def limit(self, amps: float | None) -> None:
        installed = profile((0, amps), purpose="TxDefaultProfile") if amps is not None else None
        kept = []
        if installed is not None:
            at = self.clock.now() - timedelta(days=1)
            kept.append(Installed(connector_id=1, profile=installed, received_at=at))
        self.station.profiles.recall(kept)
        self.station.refresh_all()

    def key(self, name: str, value: str) -> None:
        self.station.configuration.override(name, value)

    def operative(self, value: bool) -> None:
        self.session.set_operative(value)

    def fault(self, code: str) -> None:
        self.station.set_error(1, code)

    def reserve(self) -> None:
        if self.session.connector.status == "Available":
            until = self.clock.now() + timedelta(minutes=5)
            self.session.reserve(Reservation(reservation_id=1, id_tag="TAG", expires_at=until))

    def cancel(self) -> None:
        self.session.reserve(None)

    def refuse(self) -> None:
        """Have the central system refuse the start that it hears of."""
        transaction = self.session.connector.transaction
        if transaction is not None:
            transaction.start_acknowledged, transaction.id_tag_status = True, "Invalid"
            self.session.on_start_attempted(transaction)

    def want(self, percent: float) -> None:
        connector = self.session.connector
        if connector.vehicle is not None:
            connector.vehicle = replace(connector.vehicle, target_soc=percent)
            self.session.refresh()

    def pass_time(self, seconds: float) -> None:
        self.clock.passed += seconds
        self.session.refresh()


ACTIONS: dict[str, Callable[[Bench], None]] = {
    "plug": Bench.plug,
    "plug a full one": lambda one: one.plug(30_000),
    "unplug": Bench.unplug,
    "tag": Bench.grant,
    "stop": Bench.stop,
    "limit 0": lambda one: one.limit(0),
    "no limit": lambda one: one.limit(None),
    "ev side does not stop": lambda one: one.key("StopTransactionOnEVSideDisconnect", "false"),
    "cable stays locked": lambda one: one.key("UnlockConnectorOnEVSideDisconnect", "false"),
    "invalid ids go on": lambda one: one.key("StopTransactionOnInvalidId", "false"),
    "unlock": lambda one: one.session.unlock(),
    "refuse": Bench.refuse,
    "inoperative": lambda one: one.operative(False),
    "operative": lambda one: one.operative(True),
    "fault": lambda one: one.fault("GroundFailure"),
    "repair": lambda one: one.fault("NoError"),
    "reserve": Bench.reserve,
    "cancel": Bench.cancel,
    "wants more": lambda one: one.want(100),
    "a minute": lambda one: one.pass_time(61),
    "an hour": lambda one: one.pass_time(3600),
    "two hours": lambda one: one.pass_time(7200),
}


@given(st.lists(st.sampled_from(sorted(ACTIONS)), max_size=25))
@example(["plug", "tag", "fault", "unplug", "repair"])
@example(["cable stays locked", "plug", "tag", "unplug", "inoperative", "unlock"])
def test_every_change_is_one_of_the_table(names):
    bench = Bench().do(*names)
    wrong = [edge for edge in bench.edges if int(edge[1]) not in TABLE[edge[0]]]
    assert wrong == [], bench.told


CHARGING = ["plug", "tag"]
FULL = ["plug a full one", "tag"]
PAUSED = ["limit 0", "plug", "tag"]
MADE = {
    "A2": ["plug"],
    "A7": ["reserve"],
    "A8": ["inoperative"],
    "A9": ["fault"],
    "B1": ["plug", "unplug"],
    "B3": CHARGING,
    "B4": FULL,
    "B5": PAUSED,
    "B9": ["plug", "fault"],
    "C4": [*CHARGING, "two hours"],
    "C5": [*CHARGING, "limit 0"],
    "C6": [*CHARGING, "stop"],
    "C8": [*CHARGING, "inoperative", "stop"],
    "C9": [*CHARGING, "fault"],
    "D3": [*FULL, "wants more"],
    "D5": [*FULL, "limit 0"],
    "D6": [*FULL, "stop"],
    "D8": [*FULL, "inoperative", "stop"],
    "D9": [*FULL, "fault"],
    "E3": [*PAUSED, "no limit"],
    "E4": ["limit 0", *FULL, "no limit"],
    "E6": [*PAUSED, "stop"],
    "E8": [*PAUSED, "inoperative", "stop"],
    "E9": [*PAUSED, "fault"],
    "F1": [*CHARGING, "stop", "unplug"],
    "F2": [*CHARGING, "stop", "tag"],
    "F8": [*CHARGING, "stop", "inoperative"],
    "F9": [*CHARGING, "stop", "fault"],
    "G1": ["reserve", "an hour"],
    "G2": ["reserve", "plug"],
    "G8": ["reserve", "inoperative"],
    "G9": ["reserve", "fault"],
    "H1": ["inoperative", "operative"],
    "H2": ["inoperative", "plug", "operative"],
    "H9": ["inoperative", "fault"],
    "I1": ["fault", "repair"],
    "I2": ["plug", "fault", "repair"],
    "I3": [*CHARGING, "fault", "repair"],
    "I4": [*FULL, "fault", "repair"],
    "I5": [*PAUSED, "fault", "repair"],
    "I6": [*CHARGING, "stop", "fault", "repair"],
    "I8": ["inoperative", "fault", "repair"],
}
NEVER_MADE = {
    "A3": "Preparing is always told first", "A4": "the same", "A5": "the same",
    "B6": "the quirk preparing-gives-up makes it",
    "C1": "Finishing is always told first", "D1": "the same", "E1": "the same",
    "H3": "nothing charges while Unavailable", "H4": "the same", "H5": "the same",
    "I7": "a fault ends reservations",
}  # fmt: skip


@pytest.mark.parametrize("edge", MADE)
def test_a_change_of_the_table(edge):
    assert Bench().do(*MADE[edge]).edges[-1 if edge != "F2" else -2] == edge


def test_the_table_is_whole():
    all_edges = {f"{letter}{number}" for letter, row in TABLE.items() for number in row}
    assert all_edges == set(MADE) | set(NEVER_MADE)
    assert set(MADE) & set(NEVER_MADE) == set()

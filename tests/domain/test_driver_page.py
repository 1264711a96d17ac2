"""What a driver's page says and allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.driver_page import (
    START_WAIT,
    STARTABLE,
    STOP_WAIT,
    Access,
    ConnectorFacts,
    ConnectorState,
    EffectiveRules,
    Obstacle,
    PageRules,
    Phase,
    StartFacts,
    connector_state,
    obstacle,
    resolve,
    standing,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATUSES = [None, "Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE"]
STATUSES += ["Finishing", "Reserved", "Unavailable", "Faulted", "Odd"]


def facts(**given_facts):
    values = {
        "online": True,
        "accepted": True,
        "status": "Available",
        "station_status": None,
        "busy": False,
        "reserved": False,
        "claimed": False,
    }
    return ConnectorFacts(**{**values, **given_facts})


@pytest.mark.parametrize(
    ("given_facts", "state"),
    [
        ({}, ConnectorState.FREE),
        ({"status": "Preparing"}, ConnectorState.PLUGGED),
        ({"status": "Finishing"}, ConnectorState.FINISHING),
        ({"status": "Finishing", "busy": True}, ConnectorState.IN_USE),
        ({"status": "SuspendedEVSE"}, ConnectorState.IN_USE),
        ({"status": None, "busy": True}, ConnectorState.IN_USE),
        ({"claimed": True}, ConnectorState.IN_USE),
        ({"reserved": True}, ConnectorState.RESERVED),
        ({"status": "Reserved"}, ConnectorState.RESERVED),
        ({"status": None}, ConnectorState.UNKNOWN),
        ({"station_status": "Unavailable"}, ConnectorState.UNAVAILABLE),
        ({"accepted": False}, ConnectorState.UNAVAILABLE),
        ({"station_status": "Faulted", "busy": True}, ConnectorState.FAULTED),
        ({"online": False, "status": "Faulted"}, ConnectorState.OFFLINE),
    ],
)
def test_the_state_of_a_connector(given_facts, state):
    assert connector_state(facts(**given_facts)) is state


@given(
    st.builds(
        ConnectorFacts,
        online=st.booleans(),
        accepted=st.booleans(),
        status=st.sampled_from(STATUSES),
        station_status=st.sampled_from(STATUSES),
        busy=st.booleans(),
        reserved=st.booleans(),
        claimed=st.booleans(),
    )
)
def test_nobody_starts_where_somebody_charges_or_nothing_works(known):
    state = connector_state(known)
    if state in STARTABLE:
        assert known.online
        assert known.accepted
        assert not any((known.busy, known.claimed, known.reserved))
        assert "Faulted" not in (known.status, known.station_status)


def test_the_nearest_word_holds():
    nothing = PageRules()
    on, off = PageRules(access=Access.OPEN), PageRules(access=Access.OFF)
    assert resolve(nothing, nothing, Access.ID_TAG).access is Access.ID_TAG
    assert resolve(nothing, on, Access.OFF).access is Access.OPEN
    assert resolve(off, on, Access.OPEN).access is Access.OFF
    mixed = resolve(PageRules(plug_first=False), PageRules(plug_first=True), Access.OFF)
    assert mixed == EffectiveRules(access=Access.OFF, plug_first=False)


@pytest.mark.parametrize(
    ("access", "state", "with_tag", "why"),
    [
        (Access.OPEN, ConnectorState.FREE, False, None),
        (Access.OPEN, ConnectorState.FREE, True, None),
        (Access.OFF, ConnectorState.FREE, True, Obstacle.NOT_OFFERED),
        (Access.ID_TAG, ConnectorState.FREE, False, Obstacle.TAG_NEEDED),
        (Access.ID_TAG, ConnectorState.FREE, True, None),
        (Access.OPEN, ConnectorState.IN_USE, True, Obstacle.IN_USE),
        (Access.OPEN, ConnectorState.RESERVED, False, Obstacle.RESERVED),
        (Access.OPEN, ConnectorState.RESERVED, True, None),
        (Access.OPEN, ConnectorState.OFFLINE, True, Obstacle.OUT_OF_ORDER),
    ],
)
def test_what_keeps_from_starting(access, state, with_tag, why):
    assert obstacle(EffectiveRules(access=access), state, with_tag=with_tag) is why


def test_the_cable_first():
    rules = EffectiveRules(access=Access.OPEN, plug_first=True)
    assert obstacle(rules, ConnectorState.FREE, with_tag=True) is Obstacle.NOT_PLUGGED_IN
    assert obstacle(rules, ConnectorState.PLUGGED, with_tag=True) is None


def start(age: timedelta = timedelta(0), **more):
    values = {"outcome": "accepted", "running": None}
    return StartFacts(asked_at=NOW - age, **{**values, **more})


def test_how_far_a_start_has_come():
    def phase(known):
        found = standing(known, NOW)
        return found.phase, found.problem

    assert phase(start(outcome=None)) == (Phase.STARTING, None)
    assert phase(start(START_WAIT)) == (Phase.STARTING, None)
    assert phase(start(START_WAIT + timedelta(seconds=1))) == (Phase.FAILED, "noStart")
    assert phase(start(outcome="rejected")) == (Phase.FAILED, "rejected")
    # late, but it has come
    assert phase(start(timedelta(hours=1), outcome="noAnswer", running=True))[0] is Phase.CHARGING
    assert phase(start(running=False)) == (Phase.DONE, None)
    asked = {"running": True, "stop_asked_at": NOW}
    assert phase(start(**asked)) == (Phase.STOPPING, None)
    assert phase(start(**asked, stop_outcome="accepted")) == (Phase.STOPPING, None)
    assert phase(start(**asked, stop_outcome="noAnswer")) == (Phase.CHARGING, "stopNoAnswer")
    late = {"running": True, "stop_asked_at": NOW - STOP_WAIT - timedelta(seconds=1)}
    assert phase(start(**late, stop_outcome="accepted")) == (Phase.CHARGING, "notStopped")
    assert phase(start(**{**late, "running": False})) == (Phase.DONE, None)

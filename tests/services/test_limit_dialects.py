from __future__ import annotations

from dataclasses import replace

import pytest

from csms.bus.local import LocalBus
from csms.domain.charging_profiles import ProfileKind, ProfilePurpose, RateUnit
from csms.domain.dialects import Traits
from csms.domain.events import DialectChanged
from csms.domain.site_snapshot import Request
from csms.services.limit_dialects import LimitDialects
from tests.fakes import FakeClock
from tests.services.control_bench import limits
from tests.waiting import wait_until

FLOOR = Request(2, 0, ProfilePurpose.TX_DEFAULT, None, 1)
WATTS = Traits(rate_units=(RateUnit.WATTS,))


class Manners:
    def __init__(self):
        self.known, self.asked = {1: WATTS, 2: Traits()}, []

    async def traits(self, charge_points):
        self.asked.append(list(charge_points))
        return {key: self.known[key] for key in charge_points if key in self.known}


async def test_dialects_are_looked_up_together_and_kept_for_a_minute():
    manners, bus, clock = Manners(), LocalBus(), FakeClock()
    dialects = LimitDialects(manners, bus, clock)
    found = await dialects.of([1, 2, 3])
    assert found[1].rate_unit is RateUnit.WATTS
    assert (found[2].rate_unit, 3 in found) == (None, False)
    await dialects.of([1, 2])
    assert manners.asked == [[1, 2, 3]]
    bus.publish(DialectChanged(1))
    await clock.settle()
    await dialects.of([1, 2])
    assert manners.asked[1:] == [[1]]
    await clock.advance(61)
    await dialects.of([1, 2])  # a step does not wait for it yet
    assert manners.asked[2:] == []
    await dialects.refresh([1, 2])
    await dialects.refresh([1, 2])
    assert manners.asked[2:] == [[1, 2]]
    await clock.advance(121)
    await dialects.of([1, 2])
    assert manners.asked[3:] == [[1, 2]]


@pytest.mark.parametrize(
    ("refusals", "unit", "kind", "learned"),
    [
        (1, None, ProfileKind.ABSOLUTE, None),
        (2, RateUnit.WATTS, ProfileKind.ABSOLUTE, {"rate_units": ["W"]}),
        (4, None, ProfileKind.RELATIVE, {"profile_kinds": ["Relative"]}),
        (
            6,
            RateUnit.WATTS,
            ProfileKind.RELATIVE,
            {"rate_units": ["W"], "profile_kinds": ["Relative"]},
        ),
        (8, None, ProfileKind.ABSOLUTE, None),
    ],
)
async def test_who_refuses_is_told_in_another_way_and_what_it_takes_is_learned(
    refusals, unit, kind, learned
):
    lessons = []

    async def learn(key, traits):
        lessons.append((key, traits))

    dialects = LimitDialects(None, LocalBus(), FakeClock(), learn)
    for _ in range(refusals):
        await dialects.ended(FLOOR, "Rejected")
    way = (await dialects.of([2]))[2]
    assert (way.rate_unit, way.kind) == (unit, kind)
    assert way.is_trying is (refusals < 8)  # then all ways have been refused
    await dialects.ended(FLOOR, "call_timeout")  # says nothing about the way
    await dialects.ended(FLOOR, "Accepted")
    assert lessons == ([] if learned is None else [(2, learned)])
    assert (await dialects.of([2]))[2] == replace(way, is_trying=False)


async def test_who_has_taken_a_limit_is_not_told_otherwise():
    dialects = LimitDialects(None, LocalBus(), FakeClock())
    await dialects.ended(FLOOR, "Accepted")
    for _ in range(5):
        await dialects.ended(FLOOR, "Rejected")
    assert (await dialects.of([2]))[2].rate_unit is None


async def test_a_station_that_takes_watts_only_gets_its_limit(b):
    def watts_only(call):
        schedule = call.payload["csChargingProfiles"]["chargingSchedule"]
        (call.accept if schedule["chargingRateUnit"] == "W" else call.reject)()

    await b.site()
    b.keys["A"] = await b.sql.fetchval(
        "INSERT INTO charge_points (identity, name, site_id, max_power_w, connector_count)"
        " VALUES ('A', 'A', 's', 22000, 1) RETURNING id"
    )
    loop = b.node()
    await b.run(loop)
    wire = await b.connect("A", watts_only)
    await b.start("A")
    for count in (2, 4):  # its fallback share and its session's limit, twice
        await wire.next(count - 1)
        await b.steps(3)
        await b.clock.advance(11)
        b.changed()
    assert await b.settled("A") == 22_000
    assert limits(wire)[-1] == 22_000


def no_tx_profile(call):
    (call.reject if call.purpose == "TxProfile" else call.accept)()


async def test_who_refuses_session_limits_is_told_them_as_its_connectors_default(running):
    b = running
    wire = await b.station("A", on_call=no_tx_profile, connectors=2)
    first = await b.start("A")
    for _ in range(2):  # a single refusal may be a mood
        await b.in_doubt("A")
        await b.steps(3)
        await b.clock.advance(6)
        b.changed()
    assert await told(b, wire, 21_942) == (1, 10_001, 31.8)
    assert await b.row_of("A", 1, "TxProfile", "transaction_id") == first
    # room that others need is theirs once the decrease was seen at work
    other = await b.station("B")
    await b.start("B")
    assert await told(b, wire, 10_971) == (1, 10_001, 15.9)
    await b.steps(3)
    assert limits(other) == []
    await b.followed()
    assert await b.settled("B") == 10_971
    # what outlives the session is the fallback share again
    await b.stop(first)
    assert await told(b, wire, 0) == (1, 10_001, 0)
    assert limits(wire) == [31.8, 31.8]


async def told(b, wire, limit_w):
    """Wait until the connector has taken a default limit; return where and how it was told."""

    async def taken():
        return await b.row_of("A", 1, "TxDefaultProfile", "acknowledged_w") == limit_w

    await wait_until(taken, what=f"{limit_w} W")
    (call,) = [each for each in wire.calls if each.purpose == "TxDefaultProfile"][-1:]
    profile = call.payload["csChargingProfiles"]
    assert "duration" not in profile["chargingSchedule"]
    return call.payload["connectorId"], profile["chargingProfileId"], call.limit


async def test_an_answer_that_it_cannot_be_done_is_believed_at_once():
    lessons = []

    async def learn(key, traits):
        lessons.append((key, traits))

    dialects = LimitDialects(None, LocalBus(), FakeClock(), learn)
    session = Request(2, 1, ProfilePurpose.TX, 7, 1)
    await dialects.ended(FLOOR, "Accepted")
    await dialects.ended(session, "NotSupported")
    assert (await dialects.of([2]))[2].tells_by_default
    await dialects.ended(session._replace(purpose=ProfilePurpose.TX_DEFAULT), "Accepted")
    assert lessons == [(2, {"profile_purposes": ["TxDefaultProfile"]})]


async def test_who_has_taken_a_session_limit_once_goes_on_getting_them():
    dialects = LimitDialects(None, LocalBus(), FakeClock())
    session = Request(2, 1, ProfilePurpose.TX, 7, 1)
    await dialects.ended(FLOOR, "Accepted")
    await dialects.ended(session, "Accepted")
    for _ in range(5):
        await dialects.ended(session, "Rejected")
    assert not (await dialects.of([2]))[2].tells_by_default

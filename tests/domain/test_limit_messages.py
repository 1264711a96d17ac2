from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.charging_profiles import ProfileKind, ProfilePurpose, RateUnit
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.limit_dialect import PLAIN
from csms.domain.limit_messages import LimitPayloads, limit_payload
from csms.domain.site_control import Sending
from csms.domain.site_wishes import Target
from csms.domain.sites import Charger, ChargerId, CurrentType
from tests.domain.control_world import NOW

CHARGERS = [
    Charger(id=ChargerId("A"), max_w=22_000),
    Charger(id=ChargerId("B"), max_w=22_000, connectors=2),
    Charger(id=ChargerId("C"), max_w=7_360, phases=1),
    Charger(id=ChargerId("D"), max_w=11_000, rate_unit=RateUnit.WATTS, phases=2),
    Charger(id=ChargerId("E"), max_w=22_000, allowed_a=(Decimal(6), Decimal(10))),
    Charger(id=ChargerId("F"), max_w=50_000, current_type=CurrentType.DC),
    Charger(id=ChargerId("G"), max_w=3_000),
    Charger(id=ChargerId("H"), max_w=22_000, voltage_v=240),
]


@st.composite
def sendings(draw):
    purpose = draw(st.sampled_from(ProfilePurpose))
    is_session = purpose is ProfilePurpose.TX
    transaction = TransactionId(draw(st.integers(1, 9))) if is_session else None
    kind = draw(st.sampled_from([ProfileKind.ABSOLUTE, ProfileKind.RELATIVE]))
    clock_is_wrong = draw(st.booleans())
    may_end = is_session and kind is ProfileKind.ABSOLUTE and not clock_is_wrong
    return Sending(
        target=Target(
            key=ChargePointKey(1),
            connector_id=draw(st.integers(1, 2)) if is_session else 0,
            purpose=purpose,
            transaction_id=transaction,
            charger=draw(st.sampled_from(CHARGERS)),
            dialect=replace(PLAIN, kind=kind),
            clock_is_wrong=clock_is_wrong,
        ),
        limit_w=draw(st.sampled_from([0, 4140, 5000, 7360, 22_000])),
        version=1,
        ends_at=NOW + timedelta(minutes=draw(st.integers(1, 2)))
        if may_end and draw(st.booleans())
        else None,
    )


@given(st.lists(sendings(), max_size=12))
def test_limits_that_leave_together_say_what_each_would_say_alone(some):
    payloads = LimitPayloads(NOW)
    for sending in some + some:
        payload, alone = payloads.of(sending), limit_payload(sending, NOW)
        assert payload == alone
        assert list(payload["csChargingProfiles"]) == list(alone["csChargingProfiles"])

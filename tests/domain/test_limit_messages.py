from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from csms.domain.charging_profiles import ProfileKind, ProfilePurpose, RateUnit
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.limit_dialect import PLAIN
from csms.domain.limit_messages import LimitPayloads, limit_payload
from csms.domain.site_control import Sending
from csms.domain.site_wishes import Target
from csms.domain.sites import Charger, ChargerId, CurrentType
from tests.domain.control_world import NOW

SOON = NOW + timedelta(minutes=15)
CHARGER = Charger(id=ChargerId("A"), max_w=22_000)
WATTS = replace(CHARGER, rate_unit=RateUnit.WATTS)
TARGET = Target(
    key=ChargePointKey(1),
    connector_id=1,
    purpose=ProfilePurpose.TX,
    transaction_id=TransactionId(7),
    charger=CHARGER,
    dialect=PLAIN,
)
SENDING = Sending(target=TARGET, limit_w=7_360, version=1)
FLOOR = TARGET._replace(connector_id=0, transaction_id=None, purpose=ProfilePurpose.TX_DEFAULT)


def to(charger: Charger, limit_w: int = SENDING.limit_w) -> Sending:
    return replace(SENDING, target=TARGET._replace(charger=charger), limit_w=limit_w)


PAIRS = {
    "another limit": (SENDING, replace(SENDING, limit_w=5_000)),
    "an end": (SENDING, replace(SENDING, ends_at=SOON)),
    "another connector": (SENDING, replace(SENDING, target=TARGET._replace(connector_id=2))),
    "another transaction": (SENDING, replace(SENDING, target=TARGET._replace(transaction_id=8))),
    "a wrong clock": (SENDING, replace(SENDING, target=TARGET._replace(clock_is_wrong=True))),
    "no times": (
        SENDING,
        replace(SENDING, target=TARGET._replace(dialect=replace(PLAIN, kind=ProfileKind.RELATIVE))),
    ),
    "watts": (SENDING, to(WATTS)),
    "watts on one phase": (to(WATTS), to(replace(WATTS, phases=1))),
    "one phase": (SENDING, to(replace(CHARGER, phases=1))),
    "another voltage": (SENDING, to(replace(CHARGER, voltage_v=120))),
    "steps": (SENDING, to(replace(CHARGER, allowed_a=(Decimal(6), Decimal(10))))),
    "direct current": (SENDING, to(replace(CHARGER, current_type=CurrentType.DC))),
    "all that a small one has": (to(CHARGER, 3_000), to(replace(CHARGER, max_w=3_000), 3_000)),
    "a fallback share": (SENDING, replace(SENDING, target=FLOOR)),
    "a cap": (
        SENDING,
        replace(SENDING, target=FLOOR._replace(purpose=ProfilePurpose.CHARGE_POINT_MAX)),
    ),
    "by default": (SENDING, replace(SENDING, target=FLOOR._replace(connector_id=1))),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_limits_that_leave_together_say_what_each_would_say_alone(pair):
    assert limit_payload(pair[0], NOW) != limit_payload(pair[1], NOW)
    payloads = LimitPayloads(NOW)
    for sending in (*pair, *pair):
        payload, alone = payloads.of(sending), limit_payload(sending, NOW)
        assert payload == alone
        assert list(payload["csChargingProfiles"]) == list(alone["csChargingProfiles"])

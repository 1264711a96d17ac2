"""States that many playbooks begin with, and the messages that they are made of."""

from __future__ import annotations

from typing import Any

from tests.spec.playbook import Says, Step
from tests.spec.values import NOW, POSITIVE, Has, Slot, at

VALID, BLOCKED, EXPIRED, UNKNOWN = "VALID-TAG", "BLOCKED-TAG", "EXPIRED-TAG", "UNKNOWN-TAG"
CHILD, GROUP = "CHILD-TAG", "GROUP"
BOOT = {
    "chargePointVendor": "Vendor",
    "chargePointModel": "Model",
    "chargePointSerialNumber": "SN-1",
    "firmwareVersion": "1.0",
}
CONNECTORS = (0, 1, 2)
ACCEPTED = Has(status="Accepted")


def boots() -> Says:
    return Says(
        "BootNotification",
        BOOT,
        {"status": "Accepted", "currentTime": NOW, "interval": POSITIVE},
    )


def status(connector: int, now: str, error: str = "NoError", **more: Any) -> Says:
    payload = {"connectorId": connector, "errorCode": error, "status": now, **more}
    return Says("StatusNotification", payload, {})


def all_are(now: str) -> list[Step]:
    return [status(connector, now) for connector in CONNECTORS]


def booted() -> list[Step]:
    return [boots(), *all_are("Available")]


def authorizes(tag: str = VALID, answer: str = "Accepted", **more: Any) -> Says:
    return Says("Authorize", {"idTag": tag}, {"idTagInfo": Has(status=answer, **more)})


def starts(
    transaction: Slot, *, connector: int = 1, tag: str = VALID, when: str | None = None, **more: Any
) -> Says:
    payload = {
        "connectorId": connector,
        "idTag": tag,
        "meterStart": 1000,
        "timestamp": when or at(),
        **more,
    }
    return Says("StartTransaction", payload, {"transactionId": transaction, "idTagInfo": ACCEPTED})


def stops(
    transaction: Any,
    reason: str | None = None,
    *,
    tag: str | None = None,
    when: str | None = None,
    meter: int = 6000,
) -> Says:
    payload: dict[str, Any] = {
        "meterStop": meter,
        "timestamp": when or at(),
        "transactionId": transaction,
    }
    if tag is not None:
        payload["idTag"] = tag
    if reason is not None:
        payload["reason"] = reason
    return Says("StopTransaction", payload, {} if tag is None else {"idTagInfo": ACCEPTED})


def charging(transaction: Slot, *, connector: int = 1, tag: str = VALID) -> list[Step]:
    """Authorized, then a transaction that runs."""
    return [
        authorizes(tag),
        status(connector, "Preparing"),
        starts(transaction, connector=connector, tag=tag),
        status(connector, "Charging"),
    ]

"""Configuration of charge points: what was read, what is desired, and how they differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Drift = Literal["inSync", "pending", "rebootRequired", "refused"]

OWN_PROCEDURE = frozenset({"authorizationkey", "securityprofile"})
"""Keys, in lower case, whose change has a state machine of its own."""

MOST_KEYS = 500
"""Of one charge point; what it lists beyond is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationKey:
    """A configuration key of one charge point.

    Attributes:
        value: As read last, or as changed since; None: unknown, none, or secret.
        readonly: None until it was read.
        read_at: When `value` was learnt.
        desired: What an operator wants; None: nothing.
        refused_status: The charge point's answer to just this desired value.
        reboot_since: Since when a reboot is needed for it.
    """

    key: str
    value: str | None
    readonly: bool | None
    read_at: datetime | None
    desired: str | None
    refused_status: str | None
    reboot_since: datetime | None

    @property
    def drift(self) -> Drift | None:
        """How far the charge point is from what is desired; None when nothing is."""
        if self.desired is None:
            return None
        if self.value == self.desired:
            return "inSync"
        if self.refused_status is not None:
            return "refused"
        return "pending" if self.reboot_since is None else "rebootRequired"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReading:
    """One key of a GetConfiguration.conf."""

    key: str
    value: str | None
    readonly: bool

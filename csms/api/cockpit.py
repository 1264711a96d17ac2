"""The operations that the cockpit needs beside those of the resources, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from csms.api.call_schemas import CallForms
from csms.api.newcomers import NewcomersApi
from csms.api.routes import Resource
from csms.api.settings import ShownSettings
from csms.clock import Clock
from csms.services.diary import Diary
from csms.services.first_run import Newcomers
from csms.services.ports.entrance import Entrance
from csms.services.ports.gateway import CallSchemas, Gateway
from csms.services.ports.store import UnitsOfWork
from csms.services.shown_settings import ShownSetting
from csms.services.stations import StationService


@dataclass(frozen=True, slots=True, kw_only=True)
class CockpitParts:
    """What they are built from.

    Attributes:
        entrance: Of charge points; None in a system without them, as `diary`.
        accepts_unknown: Whether who comes under a new name becomes a station by itself.
        settings: Of this process, to be shown.
    """

    units: UnitsOfWork
    gateway: Gateway
    schemas: CallSchemas
    clock: Clock
    stations: StationService
    entrance: Entrance | None
    diary: Diary | None
    accepts_unknown: bool
    settings: Sequence[ShownSetting]


def resources(parts: CockpitParts) -> list[Resource]:
    """Return the operations."""
    newcomers = Newcomers(
        parts.units,
        parts.gateway,
        parts.clock,
        entrance=parts.entrance,
        diary=parts.diary,
        accepts_unknown=parts.accepts_unknown,
    )
    return [
        CallForms(parts.schemas),
        NewcomersApi(newcomers, parts.stations),
        ShownSettings(parts.settings),
    ]

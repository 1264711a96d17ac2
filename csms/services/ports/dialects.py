"""The ports of vendor dialects: where they are kept, and the pace that they ask for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from csms.domain.dialects import NO_TRAITS, Device, Dialect, Traits
from csms.domain.ids import ChargePointKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """What is stored of one charge point that bears on how it is spoken to.

    Attributes:
        configuration: Of `csms.domain.dialects.REPORTING_KEYS`, key in lower case -> value.
        learned: Of its present firmware.
        own: What the operator has set for it alone.
    """

    device: Device = field(default_factory=Device)
    configuration: Mapping[str, str] = field(default_factory=dict)
    learned: Traits = NO_TRAITS
    own: Traits = NO_TRAITS
    booted_at: datetime | None = None
    connected_at: datetime | None = None


class DialectRepository(Protocol):
    """Dialects of the operator, and what is known of single charge points."""

    async def all(self) -> list[Dialect]:
        """Return the operator's dialects, by id; as many as there may be."""
        ...

    async def insert(self, dialect: Dialect) -> None:
        """Add one. Raises Conflict `dialect_exists`."""
        ...

    async def update(self, dialect: Dialect) -> None:
        """Put one in the place of that of the same id."""
        ...

    async def delete(self, dialect_id: str) -> None:
        """Remove one."""
        ...

    async def acquaintances(
        self, charge_points: Collection[ChargePointKey]
    ) -> dict[ChargePointKey, Acquaintance]:
        """Return what bears on each of these charge points that exists; two statements in all."""
        ...

    async def set_own(self, charge_point: ChargePointKey, own: Traits) -> None:
        """Keep what the operator has set for one charge point alone."""
        ...

    async def set_learned(
        self, charge_point: ChargePointKey, learned: Mapping[str, Any], firmware: str | None
    ) -> None:
        """Keep what was learned of one charge point with this firmware; of another it is void."""
        ...


class Manners(Protocol):
    """Knows how charge points want to be spoken to."""

    async def traits(
        self, charge_points: Collection[ChargePointKey]
    ) -> Mapping[ChargePointKey, Traits]:
        """Return what holds for each of these charge points that exists; a few statements in all.

        Raises:
            DatabaseAway: Ask again later.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a charge point wants to be called.

    Attributes:
        spacing_s: Least time from one call to the next.
        quiet_until: No call before; None: at any time.
    """

    spacing_s: float = 0.0
    quiet_until: datetime | None = None


class Paces(Protocol):
    """Knows the pace of charge points."""

    async def of(self, charge_point: ChargePointKey) -> Pace | None:
        """Return the pace of a charge point; None: it may be called at any time.

        Asked for each call that goes out, never for one that comes in.

        Raises:
            DatabaseAway: It is not known and cannot be looked up.
        """
        ...

"""Vendor dialects, and what holds for one station."""

from __future__ import annotations

import secrets
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field

from csms.api import pages
from csms.api.fields import In, Out, Page, PageQuery, Text
from csms.api.routes import Route
from csms.domain.dialects import (
    TRAITS,
    Dialect,
    Effective,
    Origin,
    Pattern,
    read_traits,
    written_trait,
    written_traits,
)
from csms.services.access import Principal, Role
from csms.services.dialects import DialectService
from csms.services.ports.dialects import Acquaintance

_Id = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$")]
_Seconds = Annotated[float, Field(ge=0, le=3600)]
_Amperes = Annotated[float, Field(gt=0, le=1000, multiple_of=0.1)]
_PATTERN = ("vendor", "model", "firmware")


def _different(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise ValueError("must not name one twice")
    return values


def _rising(values: list[float]) -> list[float]:
    if any(later <= earlier for earlier, later in pairwise(values)):
        raise ValueError("must rise")
    return values


_Unit = Literal["A", "W"]
_Kind = Literal["Absolute", "Recurring", "Relative"]
_Purpose = Literal["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"]
_Units = Annotated[list[_Unit], Field(min_length=1), AfterValidator(_different)]
_Kinds = Annotated[list[_Kind], Field(min_length=1), AfterValidator(_different)]
_Purposes = Annotated[list[_Purpose], Field(min_length=1), AfterValidator(_different)]
_Currents = Annotated[list[_Amperes], Field(min_length=1, max_length=100), AfterValidator(_rising)]


class TraitsIn(In):
    """Traits; null takes one out."""

    rate_units: _Units | None = None
    max_stack_level: Annotated[int, Field(ge=0, le=1000)] | None = None
    profile_kinds: _Kinds | None = None
    profile_purposes: _Purposes | None = None
    allowed_a: _Currents | None = None
    call_spacing_s: _Seconds | None = None
    quiet_after_boot_s: _Seconds | None = None
    measurands_per_call: Annotated[int, Field(ge=1, le=1000)] | None = None
    remote_start_needed: bool | None = None
    zero_means_stop: bool | None = None

    def given(self) -> dict[str, Any]:
        """Return what was given, by the names of the domain."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class DialectIn(In):
    """A dialect of the operator's; patterns with `*` for any text, without case."""

    id: _Id | None = None
    vendor: Text | None = None
    model: Text | None = None
    firmware: Text | None = None
    traits: TraitsIn
    source: Text | None = None


class DialectPatch(In):
    """Changes of a dialect; null clears a pattern or takes a trait out."""

    vendor: Text | None = None
    model: Text | None = None
    firmware: Text | None = None
    traits: TraitsIn | None = None
    source: Text | None = None


class TraitsOut(Out):
    """Known traits; null where nothing is known."""

    rate_units: list[str] | None = None
    max_stack_level: int | None = None
    profile_kinds: list[str] | None = None
    profile_purposes: list[str] | None = None
    allowed_a: list[float] | None = None
    call_spacing_s: float | None = None
    quiet_after_boot_s: float | None = None
    measurands_per_call: int | None = None
    remote_start_needed: bool | None = None
    zero_means_stop: bool | None = None


class DialectOut(Out):
    """A dialect; `origin` is `builtIn` or `operator`."""

    id: str
    origin: str
    vendor: str | None
    model: str | None
    firmware: str | None
    traits: TraitsOut
    source: str | None

    @classmethod
    def of(cls, dialect: Dialect) -> Self:
        """Return a dialect as the contract spells it."""
        pattern = dialect.pattern
        return cls(
            id=dialect.id,
            origin=dialect.origin.value,
            vendor=pattern.vendor,
            model=pattern.model,
            firmware=pattern.firmware,
            traits=TraitsOut(**written_traits(dialect.traits)),
            source=dialect.source,
        )


class TraitOut(Out):
    """The value of a trait for one station, and who says so.

    `origin` is `reported` (its configuration), `builtIn`, `learned` (its answers), `operator` or
    `station` (set for it alone), from the weakest to the strongest; null where nothing is known.
    """

    value: Any = None
    origin: str | None = None
    dialect_id: str | None = None
    source: str | None = None


class StationDialectOut(Out):
    """What holds for a station; `matched` names the dialects that mean it, the weakest first."""

    vendor: str | None
    model: str | None
    firmware: str | None
    matched: list[str]
    traits: dict[str, TraitOut]

    @classmethod
    def of(cls, known: Acquaintance, holds: Effective) -> Self:
        """Return it as the contract spells it."""
        traits = {}
        for name in TRAITS:
            value, given = getattr(holds.traits, name), holds.given.get(name)
            alias = TraitsOut.model_fields[name].alias or name
            traits[alias] = (
                TraitOut()
                if given is None
                else TraitOut(
                    value=written_trait(value),
                    origin=given.origin.value,
                    dialect_id=given.dialect_id,
                    source=given.source,
                )
            )
        device = known.device
        return cls(
            vendor=device.vendor,
            model=device.model,
            firmware=device.firmware,
            matched=list(holds.matched),
            traits=traits,
        )


class Dialects:
    """The operations."""

    def __init__(self, dialects: DialectService) -> None:
        self._dialects = dialects

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one, of_station = "/api/dialects/{dialect_id}", "/api/stations/{station_id}/dialect"
        taken = {409: "`dialect_exists`, or there are too many."}
        fixed = {404: "There is no such dialect.", 409: "`built_in`: it cannot be changed."}
        absent = {404: "There is no such station."}

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            role = Role.VIEWER if method == "GET" else Role.OPERATOR
            return Route(
                method=method, path=path, handler=handler, role=role, tag="dialects", **more
            )

        return [
            route("GET", "/api/dialects", self.list_dialects),
            route("POST", "/api/dialects", self.create_dialect, status=201, refusals=taken),
            route("GET", one, self.get_dialect),
            route("PATCH", one, self.change_dialect, refusals=fixed),
            route("DELETE", one, self.delete_dialect, status=204, refusals=fixed),
            route("GET", of_station, self.get_station_dialect, refusals=absent),
            route("PATCH", of_station, self.change_station_dialect, refusals=absent),
        ]

    async def list_dialects(self, query: PageQuery) -> Page[DialectOut]:
        """Return the built-in dialects and the operator's, by id."""
        after = "" if query.cursor is None else pages.decode(query.cursor, str)[0]
        found = [each for each in await self._dialects.all() if each.id > after]
        page = found[: query.limit]
        return Page[DialectOut](
            items=[DialectOut.of(each) for each in page],
            next_cursor=pages.encode(page[-1].id) if len(found) > len(page) else None,
        )

    async def create_dialect(self, body: DialectIn, principal: Principal) -> DialectOut:
        """Add a dialect; it goes before built-in ones for the stations that it means."""
        dialect = Dialect(
            id=body.id or f"dialect-{secrets.token_hex(6)}",
            pattern=Pattern(vendor=body.vendor, model=body.model, firmware=body.firmware),
            traits=read_traits(body.traits.given()),
            origin=Origin.OPERATOR,
            source=body.source,
        )
        return DialectOut.of(await self._dialects.create(principal.name, dialect))

    async def get_dialect(self, dialect_id: str) -> DialectOut:
        """Return one dialect."""
        return DialectOut.of(await self._dialects.get(dialect_id))

    async def change_dialect(
        self, dialect_id: str, body: DialectPatch, principal: Principal
    ) -> DialectOut:
        """Change what is given; traits that are not named stay."""
        given = {name: getattr(body, name) for name in body.model_fields_set}
        pattern = {name: given.pop(name) for name in _PATTERN if name in given}
        given["traits"] = body.traits.given() if body.traits is not None else {}
        return DialectOut.of(
            await self._dialects.change(principal.name, dialect_id, pattern, given)
        )

    async def delete_dialect(self, dialect_id: str, principal: Principal) -> None:
        """Remove a dialect of the operator's."""
        await self._dialects.delete(principal.name, dialect_id)

    async def get_station_dialect(self, station_id: str) -> StationDialectOut:
        """Return what holds for a station, each value with its origin."""
        return StationDialectOut.of(*await self._dialects.of_station(station_id))

    async def change_station_dialect(
        self, station_id: str, body: TraitsIn, principal: Principal
    ) -> StationDialectOut:
        """Set traits for this station alone; null takes one back."""
        await self._dialects.set_own(principal.name, station_id, body.given())
        return StationDialectOut.of(*await self._dialects.of_station(station_id))

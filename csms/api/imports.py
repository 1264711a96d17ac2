"""Stations and id tags from CSV files: tried first, a result for each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from csms.api import problems
from csms.api.csv_import import MOST_BYTES, MOST_ROWS, Row, read_csv
from csms.api.fields import In, Out, Query
from csms.api.id_tags import IdTagIn, IdTagOut, IdTagPatch
from csms.api.routes import Route
from csms.api.stations import StationIn, StationOut, StationPatch, new_station_values
from csms.domain.ids import id_tag_key
from csms.errors import Conflict, Refusal
from csms.services.access import Principal, Role
from csms.services.id_tags import IdTagService
from csms.services.stations import StationService

M = TypeVar("M", bound=In)

_COUNT = "connectorCount"  # where an export says how many connectors there are
_PLACE = ("lat", "lon", "address")
_Outcome = Literal["created", "changed", "refused"]


class ImportQuery(Query):
    """`dryRun`: say what would come of it; `update`: change what is there already."""

    dry_run: bool = False
    update: bool = False


class RowOut(Out):
    """What has come of a row; `errors`: field -> what is wrong with it."""

    line: int
    id: str | None
    outcome: _Outcome
    errors: dict[str, str]


class ImportOut(Out):
    """What has come of a file; with `dryRun` what would come of it."""

    dry_run: bool
    created: int
    changed: int
    refused: int
    rows: list[RowOut]


class Imports:
    """The operations."""

    def __init__(self, stations: StationService, id_tags: IdTagService) -> None:
        self._stations = stations
        self._id_tags = id_tags

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""

        def route(path: str, handler: Any, tag: str) -> Route:
            return Route(
                method="POST",
                path=path,
                handler=handler,
                role=Role.OPERATOR,
                tag=tag,
                takes_csv=True,
                refusals={
                    413: f"More than {MOST_BYTES // 10**6} MB.",
                    415: "The body is not said to be text/csv.",
                    422: f"`invalid_file`: no CSV, unknown columns, more than {MOST_ROWS:,} rows.",
                },
            )

        return [
            route("/api/stations/import", self.import_stations, "stations"),
            route("/api/id-tags/import", self.import_id_tags, "id tags"),
        ]

    async def import_stations(
        self, request: web.Request, query: ImportQuery, principal: Principal
    ) -> ImportOut:
        """Add stations from a CSV file, each row for itself.

        Columns are the fields of POST; `lat`, `lon` and `address` say where it stands.
        """
        names = [*_names(StationIn), *_PLACE, _COUNT]
        rows = await read_csv(request, names, _names(StationOut))
        actor, dry = principal.name, query.dry_run

        async def take(row: Row) -> _Outcome:
            given = _with_place(row.values)
            identity = given.get("identity")
            try:
                await self._add_station(actor, _read(StationIn, given), dry=dry)
            except Conflict as conflict:
                if not query.update or conflict.code != "station_exists" or identity is None:
                    raise
            else:
                return "created"
            del given["identity"]
            await self._change_station(actor, identity, _read(StationPatch, given), dry=dry)
            return "changed"

        return await _imported(rows, "identity", str.lower, take, dry=dry)

    async def import_id_tags(
        self, request: web.Request, query: ImportQuery, principal: Principal
    ) -> ImportOut:
        """Add id tags from a CSV file, each row for itself; columns are the fields of POST."""
        rows = await read_csv(request, _names(IdTagIn), _names(IdTagOut))
        actor, dry = principal.name, query.dry_run

        async def take(row: Row) -> _Outcome:
            given = dict(row.values)
            try:
                body = _read(IdTagIn, given)
                values = {name: getattr(body, name) for name in IdTagIn.model_fields}
                if dry:
                    await self._id_tags.try_create(actor, values)
                else:
                    await self._id_tags.create(actor, values)
            except Conflict:
                if not query.update:
                    raise
            else:
                return "created"
            tag = given.pop("idTag")
            patch = _read(IdTagPatch, given)
            if not dry:  # whatever the patch says, nothing speaks against it
                changes = {name: getattr(patch, name) for name in patch.model_fields_set}
                await self._id_tags.change(actor, tag, changes)
            return "changed"

        return await _imported(rows, "idTag", id_tag_key, take, dry=dry)

    async def _add_station(self, actor: str, body: StationIn, *, dry: bool) -> None:
        values = new_station_values(body)
        if dry:
            await self._stations.try_create(actor, body.identity, values, body.password)
        else:
            # the site's decision is not waited for at each row
            await self._stations.create(actor, body.identity, values, body.password, decides=False)

    async def _change_station(
        self, actor: str, identity: str, body: StationPatch, *, dry: bool
    ) -> None:
        given = "password" in body.model_fields_set
        if dry:
            await self._stations.try_change(
                actor, identity, body.columns(), password=body.password, password_given=given
            )
        else:
            await self._stations.change(
                actor,
                identity,
                body.columns(),
                password=body.password,
                password_given=given,
                decides=False,
            )


async def _imported(
    rows: Sequence[Row],
    key: str,
    folded: Callable[[str], str],
    take: Callable[[Row], Awaitable[_Outcome]],
    *,
    dry: bool,
) -> ImportOut:
    """Take the rows one by one; one that is refused keeps none of the others."""
    seen: dict[str, int] = {}
    results = []
    for row in rows:
        name = row.values.get(key)
        errors: dict[str, str] = {}
        outcome: _Outcome = "refused"
        first = row.line if name is None else seen.setdefault(folded(name), row.line)
        if first != row.line:
            errors[key] = f"stands in line {first} already"
        elif row.extra:
            errors["row"] = "has more cells than there are columns"
        else:
            try:
                outcome = await take(row)
            except Refusal as refusal:
                errors = refusal.fields or {key: refusal.detail}
        results.append(RowOut(line=row.line, id=name, outcome=outcome, errors=errors))
    counts = Counter(result.outcome for result in results)
    return ImportOut(
        dry_run=dry,
        created=counts["created"],
        changed=counts["changed"],
        refused=counts["refused"],
        rows=results,
    )


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _read(model: type[M], values: dict[str, Any]) -> M:
    """Return a row as the model of the resource, whose texts are converted. Raises Refusal."""
    try:
        return model.model_validate(values, strict=False)
    except ValidationError as error:
        raise problems.of_validation(error) from None


def _with_place(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the values with `lat` and `lon` as a place, and an export's columns as a request's."""
    given: dict[str, Any] = {
        name: text for name, text in values.items() if name not in (*_PLACE, _COUNT)
    }
    if values.get("connectors", "[").startswith("["):  # an export's, which tells their states
        given.pop("connectors", None)
        if _COUNT in values:
            given["connectors"] = values[_COUNT]
    if values.get("location", "").startswith("{"):
        with suppress(orjson.JSONDecodeError):
            given["location"] = orjson.loads(values["location"])
    place = {name: values[name] for name in _PLACE if name in values}
    if {"lat", "lon"} & place.keys():
        given["location"] = place
    elif "address" in place:
        given.setdefault("location", place["address"])
    return given

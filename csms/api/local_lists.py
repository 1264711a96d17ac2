"""Local authorization lists of stations: installed and desired."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from csms.api.fields import IdTagText, In, Out, When
from csms.api.routes import Route
from csms.clock import wire_time
from csms.domain.local_list import LocalList
from csms.services.access import Principal, Role
from csms.services.local_lists import LocalListService

_Status = Literal["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"]
_MOST = 20_000


class EntryIn(In):
    """An entry of a desired list."""

    id_tag: IdTagText
    status: _Status = "Accepted"
    expires_at: When | None = None
    parent_id_tag: IdTagText | None = None

    def wire(self) -> dict[str, Any]:
        """Return the entry as SendLocalList spells it."""
        info: dict[str, Any] = {"status": self.status}
        if self.expires_at is not None:
            info["expiryDate"] = wire_time(self.expires_at)
        if self.parent_id_tag is not None:
            info["parentIdTag"] = self.parent_id_tag
        return {"idTag": self.id_tag, "idTagInfo": info}


class LocalListIn(In):
    """The desired list; an empty one clears the station's."""

    entries: Annotated[list[EntryIn], Field(max_length=_MOST)]


class EntryOut(Out):
    """An entry of a list; times as they are sent."""

    id_tag: str
    status: str
    expires_at: str | None
    parent_id_tag: str | None


class LocalListOut(Out):
    """A local list.

    `entries` are the desired ones, where there are none those installed, as far as they are known.
    """

    installed_version: int | None
    desired_version: int | None
    state: str
    entries: list[EntryOut]

    @classmethod
    def of(cls, known: LocalList) -> Self:
        """Return a list as the contract spells it."""
        entries = known.desired if known.desired_version is not None else known.installed or ()
        return cls(
            installed_version=known.installed_version,
            desired_version=known.desired_version,
            state=known.state,
            entries=[
                EntryOut(
                    id_tag=entry["idTag"],
                    status=entry["idTagInfo"]["status"],
                    expires_at=entry["idTagInfo"].get("expiryDate"),
                    parent_id_tag=entry["idTagInfo"].get("parentIdTag"),
                )
                for entry in entries
            ],
        )


class LocalLists:
    """The operations."""

    def __init__(self, local_lists: LocalListService) -> None:
        self._local_lists = local_lists

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        path = "/api/stations/{station_id}/local-list"
        missing = {404: "There is no such station."}
        return [
            Route(
                method="GET",
                path=path,
                handler=self.get_local_list,
                role=Role.VIEWER,
                tag="stations",
                refusals=missing,
            ),
            Route(
                method="PUT",
                path=path,
                handler=self.desire_local_list,
                role=Role.OPERATOR,
                tag="stations",
                refusals=missing,
            ),
        ]

    async def get_local_list(self, station_id: str) -> LocalListOut:
        """Return what is known of a station's local list, and what is desired."""
        return LocalListOut.of(await self._local_lists.get(station_id))

    async def desire_local_list(
        self, station_id: str, body: LocalListIn, principal: Principal
    ) -> LocalListOut:
        """Say what the list shall be: sent to the station while it is connected and not quiet."""
        entries = [entry.wire() for entry in body.entries]
        return LocalListOut.of(await self._local_lists.desire(principal.name, station_id, entries))

"""Files that stations have sent: listed, handed out, deleted."""

from __future__ import annotations

from typing import Annotated, Self

from aiohttp import web
from pydantic import Field

from csms.api import pages
from csms.api.downloads import attachment
from csms.api.fields import Out, Page, PageQuery, PreciseTime
from csms.api.routes import Route
from csms.domain import files
from csms.errors import NotFound
from csms.services.access import Principal, Role
from csms.services.files import FileService
from csms.services.ports.files import FileAddresses, StationFile


class StationFileOut(Out):
    """A file that a station has sent.

    `name` is ours; `label` is what the station calls it. `complete` is false while, or where, only
    a part has come.
    """

    id: str
    station_id: str
    name: str
    label: str
    size_bytes: int
    sha256: str | None
    complete: bool
    received_at: PreciseTime
    url: str

    @classmethod
    def of(cls, file: StationFile) -> Self:
        """Return a file as the contract spells it."""
        return cls(
            id=str(file.key),
            station_id=file.identity,
            name=files.file_name(file.kind, file.key, file.label),
            label=file.label,
            size_bytes=file.size,
            sha256=file.sha256,
            complete=file.complete,
            received_at=file.received_at,
            url=f"/api/files/{file.key}/content",
        )


class FileEndpointOut(Out):
    """Where stations bring and fetch files: by which protocols, the best first; none: it is off."""

    schemes: list[str]
    largest_bytes: int


class FileQuery(PageQuery):
    """Which files."""

    station_id: Annotated[str, Field(max_length=255)] | None = None


class Files:
    """The operations."""

    def __init__(self, service: FileService, addresses: FileAddresses | None = None) -> None:
        self._service = service
        self._addresses = addresses

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        missing = {404: "There is no such file."}
        return [
            Route(
                method="GET",
                path="/api/file-endpoint",
                handler=self.get_file_endpoint,
                role=Role.VIEWER,
                tag="files",
            ),
            Route(
                method="GET",
                path="/api/files",
                handler=self.list_files,
                role=Role.VIEWER,
                tag="files",
            ),
            Route(
                method="GET",
                path="/api/files/{file_id}",
                handler=self.get_file,
                role=Role.VIEWER,
                tag="files",
                refusals=missing,
            ),
            Route(
                method="GET",
                path="/api/files/{file_id}/content",
                handler=self.get_file_content,
                role=Role.OPERATOR,
                tag="files",
                refusals={404: "There is no such file, or its bytes are not on this machine."},
            ),
            Route(
                method="DELETE",
                path="/api/files/{file_id}",
                handler=self.delete_file,
                role=Role.OPERATOR,
                tag="files",
                status=204,
                refusals=missing,
            ),
        ]

    async def get_file_endpoint(self) -> FileEndpointOut:
        """Return by which protocols stations reach files of ours, and how large one may be."""
        offered = () if self._addresses is None else self._addresses.offered()
        return FileEndpointOut(
            schemes=list(offered), largest_bytes=self._service.keeping.largest_bytes
        )

    async def list_files(self, query: FileQuery) -> Page[StationFileOut]:
        """Return the files of stations, the newest first."""
        before = None if query.cursor is None else int(pages.decode(query.cursor, int)[0])
        found = await self._service.page(query.limit, before=before, identity=query.station_id)
        return Page[StationFileOut](
            items=[StationFileOut.of(file) for file in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def get_file(self, file_id: str) -> StationFileOut:
        """Return what is known of a file."""
        return StationFileOut.of(await self._service.get(_key(file_id)))

    async def get_file_content(self, file_id: str, request: web.Request) -> web.StreamResponse:
        """Hand out a file, as an attachment whose name is ours."""
        return await attachment(request, await self._service.content(_key(file_id)))

    async def delete_file(self, file_id: str, principal: Principal) -> None:
        """Delete a file."""
        await self._service.delete(principal.name, _key(file_id))


def _key(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound("file_not_found", "There is no such file.")
    return int(text)

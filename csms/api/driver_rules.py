"""Where drivers have pages, and the QR codes that lead to them."""

from __future__ import annotations

import base64
import hashlib
import html
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from csms.api import qr
from csms.api.driver_texts import LANGUAGES, Texts
from csms.api.fields import In, Out
from csms.api.routes import Route
from csms.domain.connectors import MOST_CONNECTORS
from csms.domain.driver_page import Access
from csms.errors import NotFound
from csms.services.access import Principal, Role
from csms.services.driver_rules import DriverRulesService, RulesShown, connectors_of
from csms.services.records import Station

_Access = Literal["off", "idTag", "open"]
_Connector = Annotated[int, Field(ge=1, le=MOST_CONNECTORS)]
_MOST_STATIONS = 1000

_STYLE = """
@page { size: A4; margin: 12mm }
* { box-sizing: border-box }
body { margin: 0; font: 11pt/1.35 system-ui, sans-serif; color: #000; background: #fff }
main { max-width: 186mm; display: grid; grid-template-columns: 1fr 1fr; gap: 6mm }
section { border: .3mm dashed #999; border-radius: 3mm; padding: 6mm; text-align: center;
  break-inside: avoid }
h1 { margin: 0; font-size: 15pt; overflow-wrap: anywhere }
h1 + p { margin: 1mm 0 0; font-size: 12pt }
svg { display: block; width: 52mm; height: 52mm; margin: 3mm auto }
ul { list-style: none; margin: 0; padding: 0; font-size: 9pt }
.address { margin: 3mm 0 0; font-size: 7.5pt; color: #444; overflow-wrap: anywhere }
header { max-width: 186mm; padding: 6mm 0; font-size: 10pt }
@media screen { body { padding: 0 6mm 6mm } }
@media print { header { display: none } }
"""
_CSP = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class DriverPagePatch(In):
    """What drivers may do; null: as the site, then the system, says."""

    access: _Access | None = None
    plug_first: bool | None = None

    def changes(self) -> dict[str, Any]:
        """Return what was given."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        if values.get("access") is not None:
            values["access"] = Access(values["access"])
        return values


class DriverPageEffective(Out):
    """What holds."""

    access: _Access
    plug_first: bool


class DriverPageAddress(Out):
    """Where the page of a connector is."""

    connector_id: int
    url: str


class SiteDriverPageOut(Out):
    """What was said for the stations of a site, and what holds where a station says nothing."""

    access: _Access | None
    plug_first: bool | None
    effective: DriverPageEffective

    @classmethod
    def of(cls, shown: RulesShown, **more: Any) -> Self:
        """Return rules as the contract spells them."""
        access = shown.said.access
        return cls(
            access=None if access is None else access.value,
            plug_first=shown.said.plug_first,
            effective=DriverPageEffective(
                access=shown.holds.access.value, plug_first=shown.holds.plug_first
            ),
            **more,
        )


class DriverPageOut(SiteDriverPageOut):
    """The same for one station, with the addresses of its connectors' pages."""

    pages: list[DriverPageAddress]


class DriverRules:
    """The operations.

    Args:
        public_url: What drivers reach this system by; None: as the request that asks did.
    """

    def __init__(self, rules: DriverRulesService, public_url: str | None) -> None:
        self._rules = rules
        self._public_url = public_url
        self._texts = [Texts(language) for language in LANGUAGES]

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        station, site = "/api/stations/{station_id}", "/api/sites/{site_id}"
        absent = {404: "There is no such station, connector or site."}

        def route(method: str, path: str, handler: Any) -> Route:
            role = Role.VIEWER if method == "GET" else Role.OPERATOR
            return Route(
                method=method,
                path=path,
                handler=handler,
                role=role,
                tag="driver pages",
                refusals=absent,
            )

        return [
            route("GET", f"{station}/driver-page", self.get_driver_page),
            route("PATCH", f"{station}/driver-page", self.change_driver_page),
            route("GET", f"{site}/driver-page", self.get_site_driver_page),
            route("PATCH", f"{site}/driver-page", self.change_site_driver_page),
            route("GET", f"{station}/connectors/{{connector_id}}/qr.svg", self.get_qr_code),
            route("GET", f"{station}/qr-sheet", self.get_station_qr_sheet),
            route("GET", f"{site}/qr-sheet", self.get_site_qr_sheet),
        ]

    async def get_driver_page(self, station_id: str, request: web.Request) -> DriverPageOut:
        """Return what drivers may do at a station's connectors, and where the pages are."""
        return self._out(request, *await self._rules.of_station(station_id))

    async def change_driver_page(
        self, station_id: str, body: DriverPagePatch, principal: Principal, request: web.Request
    ) -> DriverPageOut:
        """Change what is given; null: as the site says."""
        found = await self._rules.change_station(principal.name, station_id, body.changes())
        return self._out(request, *found)

    async def get_site_driver_page(self, site_id: str) -> SiteDriverPageOut:
        """Return what drivers may do at the stations of a site."""
        return SiteDriverPageOut.of(await self._rules.of_site(site_id))

    async def change_site_driver_page(
        self, site_id: str, body: DriverPagePatch, principal: Principal
    ) -> SiteDriverPageOut:
        """Change what is given; null: as the system's setting says."""
        found = await self._rules.change_site(principal.name, site_id, body.changes())
        return SiteDriverPageOut.of(found)

    async def get_qr_code(
        self, station_id: str, connector_id: _Connector, request: web.Request
    ) -> web.Response:
        """Return the QR code of a connector's page as SVG."""
        station, _ = await self._rules.of_station(station_id)
        if connector_id not in connectors_of(station):
            raise NotFound("connector_not_found", "The station has no such connector.")
        return qr.picture(self._address(request, station, connector_id))

    async def get_station_qr_sheet(self, station_id: str, request: web.Request) -> web.Response:
        """Return a page to print with the codes of a station's connectors."""
        station, _ = await self._rules.of_station(station_id)
        return self._sheet(request, station.name, [station])

    async def get_site_qr_sheet(self, site_id: str, request: web.Request) -> web.Response:
        """Return a page to print with the codes of all connectors of a site."""
        name, stations = await self._rules.stations(site_id, _MOST_STATIONS)
        return self._sheet(request, name, list(stations))

    def _sheet(self, request: web.Request, title: str, stations: list[Station]) -> web.Response:
        labels = [
            self._label(request, station, connector_id)
            for station in stations
            for connector_id in connectors_of(station)
        ]
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>QR codes, {html.escape(title)}</title><style>{_STYLE}</style></head><body>"
            f"<header><b>{html.escape(title)}</b>: labels for A4, two in a row, {len(labels)} "
            f"in all. They lead to {html.escape(self._origin(request))}.</header>"
            f"<main>{''.join(labels)}</main></body></html>"
        )
        return web.Response(
            text=page, content_type="text/html", headers={"Content-Security-Policy": _CSP}
        )

    def _label(self, request: web.Request, station: Station, connector_id: int) -> str:
        address = self._address(request, station, connector_id)
        picture = qr.code(address).svg_inline(
            border=qr.QUIET_ZONE, omitsize=True, svgclass=None, lineclass=None
        )
        lines = "".join(
            f'<li lang="{texts.language}"><b>{html.escape(texts.say("sheet.title"))}</b> '
            f"{html.escape(texts.say('sheet.scan'))}</li>"
            for texts in self._texts
        )
        return (
            f"<section><h1>{html.escape(station.name)}</h1>"
            f"<p>{html.escape(station.identity)} · {connector_id}</p>{picture}"
            f'<ul>{lines}</ul><p class="address">{html.escape(address)}</p></section>'
        )

    def _out(self, request: web.Request, station: Station, shown: RulesShown) -> DriverPageOut:
        pages = [
            DriverPageAddress(connector_id=number, url=self._address(request, station, number))
            for number in connectors_of(station)
        ]
        return DriverPageOut.of(shown, pages=pages)

    def _address(self, request: web.Request, station: Station, connector_id: int) -> str:
        return f"{self._origin(request)}/c/{quote(station.identity, safe='')}/{connector_id}"

    def _origin(self, request: web.Request) -> str:
        return (self._public_url or f"{request.scheme}://{request.host}").rstrip("/")

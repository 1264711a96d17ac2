"""The operations that the cockpit needs beside those of the resources, put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from csms.api.bulk import BulkCalls
from csms.api.call_schemas import CallForms
from csms.api.imports import Imports
from csms.api.message_search import MessageSearches
from csms.api.newcomers import NewcomersApi
from csms.api.routes import Resource
from csms.api.session_corrections import SessionHands
from csms.api.session_story import SessionStories
from csms.api.settings import ShownSettings
from csms.api.site_power import SitePowers
from csms.api.tag_learning import TagLearnings
from csms.clock import Clock
from csms.services.audit import AuditTrail
from csms.services.bulk import BulkService
from csms.services.commands import CommandService
from csms.services.diary import Diary
from csms.services.first_run import Newcomers
from csms.services.id_tags import IdTagService
from csms.services.message_search import MessageSearch
from csms.services.message_tail import Follow
from csms.services.ports.bus import Bus
from csms.services.ports.entrance import Entrance
from csms.services.ports.gateway import CallSchemas, Gateway
from csms.services.ports.store import UnitsOfWork
from csms.services.power_history import PowerHistories
from csms.services.session_corrections import SessionCorrections
from csms.services.session_story import SessionStory
from csms.services.shown_settings import ShownSetting
from csms.services.stations import StationService
from csms.services.tag_learning import TagLearning


@dataclass(frozen=True, slots=True, kw_only=True)
class CockpitPorts:
    """What they are built from.

    Attributes:
        entrance: Of charge points; None in a system without them, as `diary`.
        accepts_unknown: Whether who comes under a new name becomes a station by itself.
        settings: Of this process, to be shown.
        node: Name of this node.
        settle_log: Waits until all OCPP frames logged so far are in the database.
        follow_log: Tells of them as they are stored; None in a system without charge points.
    """

    units: UnitsOfWork
    gateway: Gateway
    schemas: CallSchemas
    bus: Bus
    clock: Clock
    audit: AuditTrail
    stations: StationService
    commands: CommandService
    entrance: Entrance | None
    diary: Diary | None
    accepts_unknown: bool
    settings: Sequence[ShownSetting]
    node: str
    settle_log: Callable[[], Awaitable[None]]
    follow_log: Follow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CockpitParts:
    """The operations, and the loops that have to run beside them: name -> body."""

    resources: list[Resource]
    loops: Mapping[str, Callable[[], Awaitable[None]]]


def parts(ports: CockpitPorts) -> CockpitParts:
    """Return the operations."""
    newcomers = Newcomers(
        ports.units,
        ports.gateway,
        ports.clock,
        entrance=ports.entrance,
        diary=ports.diary,
        accepts_unknown=ports.accepts_unknown,
    )
    bulk = BulkService(
        ports.units,
        ports.commands,
        ports.schemas,
        ports.gateway,
        ports.clock,
        ports.audit,
        node=ports.node,
    )
    histories = PowerHistories(ports.units, ports.clock)
    return CockpitParts(
        resources=[
            CallForms(ports.schemas),
            NewcomersApi(newcomers, ports.stations),
            ShownSettings(ports.settings),
            BulkCalls(bulk),
            SessionHands(
                SessionCorrections(ports.units, ports.gateway, ports.bus, ports.clock, ports.audit)
            ),
            SitePowers(histories),
            TagLearnings(TagLearning(ports.follow_log, ports.units, ports.clock)),
            Imports(ports.stations, IdTagService(ports.units, ports.audit, ports.clock)),
            MessageSearches(MessageSearch(ports.units, ports.clock), ports.settle_log),
            SessionStories(SessionStory(ports.units, ports.clock)),
        ],
        loops={"bulk calls": bulk.run, "site samples": histories.run},
    )

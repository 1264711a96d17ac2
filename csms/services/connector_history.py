"""What the connectors of a station have been, and for how long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from csms.domain.availability import Availability, availability
from csms.errors import NotFound
from csms.services.ports.connector_history import ConnectorStatus
from csms.services.ports.store import UnitsOfWork
from csms.services.station_state import existing_station

_MOST_CHANGES = 5_000


class ConnectorHistories:
    """Shows it."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def changes(
        self,
        identity: str,
        limit: int,
        *,
        connector_id: int | None = None,
        before: tuple[datetime, int] | None = None,
        received_from: datetime | None = None,
        received_to: datetime | None = None,
    ) -> Sequence[ConnectorStatus]:
        """Return changes of one connector or of all, the newest first.

        Raises:
            NotFound: `station_not_found`; `connector_not_found` where the station neither is
                said to have such a connector nor has ever told of one.
        """
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            found = await unit.connector_history.page(
                station.key,
                limit,
                connector_id=connector_id,
                before=before,
                received_from=received_from,
                received_to=received_to,
            )
        known = {0, *(connector.connector_id for connector in station.connectors)}
        if connector_id is not None and not found and connector_id not in known:
            raise NotFound("connector_not_found", "The station has no such connector.")
        return found

    async def availability(
        self, identity: str, start: datetime, end: datetime
    ) -> dict[int, Availability]:
        """Return how long each connector was what between two times, by connector.

        What a station last said counts until it says something else, also while it is offline.

        Raises:
            NotFound: `station_not_found`.
        """
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            known = await unit.connector_history.known_at(station.key, start)
            changes = await unit.connector_history.page(
                station.key, _MOST_CHANGES, received_from=start, received_to=end
            )
        before = {each.connector_id: each.status for each in known}
        since: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
        for change in reversed(changes):
            if not change.late:
                since[change.connector_id].append((change.received_at, change.status))
        numbers = {connector.connector_id for connector in station.connectors}
        return {
            number: availability(before.get(number), since[number], start=start, end=end)
            for number in sorted(numbers | before.keys() | since.keys())
        }

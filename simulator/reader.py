"""The charge point's reader: who may charge, by what is known here and by the central system.

Owns what holding a tag to the reader of a connector does (OCPP 1.6 3.5, 3.6, 4.1). It keeps no
state of connectors; what is known of tags stands in :mod:`simulator.authorization`.
"""

from typing import TYPE_CHECKING

from ocpp.v16 import call

from simulator.errors import CallFailed, NoAnswer

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator
    from simulator.session import ConnectorSession


class Reader:
    """Reads tags for one charge point.

    Args:
        station: the charge point.
    """

    def __init__(self, station: "ChargePointSimulator") -> None:
        self._station = station

    async def present(self, session: "ConnectorSession", id_tag: str) -> bool:
        """Hold ``id_tag`` to a connector's reader: start, or stop what the tag or group started.

        Returns:
            Whether the tag was let do what it asked for.
        """
        transaction = session.connector.transaction
        if transaction is not None:
            if transaction.id_tag.lower() != id_tag.lower() and not await self._same_group(
                transaction.id_tag, id_tag
            ):
                return False
            if session.connector.transaction is transaction:
                session.end_transaction("Local", id_tag)
            return True
        if self._station.temper.has("needs-remote-start"):
            return False
        if not self.lets_in(session, id_tag) or not await self.authorize(id_tag):
            return False
        if session.connector.transaction is not None:
            return False
        session.grant(id_tag)
        return True

    async def _same_group(self, id_tag: str, other: str) -> bool:
        if not await self.authorize(other):
            return False
        parent = self._station.tags.parent(other)
        return parent is not None and parent == self._station.tags.parent(id_tag)

    def lets_in(self, session: "ConnectorSession", id_tag: str) -> bool:
        """Return whether nothing but the tag's own status stands in the way of a start."""
        connector = session.connector
        if connector.status in ("Faulted", "Unavailable"):
            return False
        reservation = connector.reservation
        if reservation is None or reservation.id_tag.lower() == id_tag.lower():
            return True
        parent = self._station.tags.parent(id_tag)
        return parent is not None and parent == reservation.parent_id_tag

    async def authorize(self, id_tag: str) -> bool:
        """Return whether ``id_tag`` may charge; offline by what is known here."""
        configuration, tags = self._station.configuration, self._station.tags
        verdict = tags.verdict(
            id_tag,
            self._station.clock.now(),
            use_list=configuration.flag("LocalAuthListEnabled"),
            use_cache=configuration.flag("AuthorizationCacheEnabled"),
        )
        if verdict == "Accepted" and configuration.flag("LocalPreAuthorize"):
            return True
        try:
            answer = await self._station.link.call(call.Authorize(id_tag=id_tag))
        except NoAnswer:
            if verdict is None:
                return configuration.flag("AllowOfflineTxForUnknownId")
            return verdict == "Accepted" and configuration.flag("LocalAuthorizeOffline")
        except CallFailed:
            return False
        tags.remember(id_tag, answer.id_tag_info)
        return bool(answer.id_tag_info["status"] == "Accepted")

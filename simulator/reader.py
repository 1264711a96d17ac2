"""The charge point's reader: who may charge, by what is known here and by the central system.

Owns what holding a tag to the reader does (OCPP 1.6 3.5, 3.6, 4.1), be it the reader of one
connector or one for all of them. What is known of tags stands in :mod:`simulator.authorization`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ocpp.v16 import call

from simulator import availability
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
        self._held: tuple[str, float] | None = None

    async def present(self, session: "ConnectorSession", id_tag: str) -> bool:
        """Hold ``id_tag`` to a connector's reader: start, or stop what the tag or group started.

        Returns:
            Whether the tag was let do what it asked for.
        """
        done = await self._present(session, id_tag)
        self._blink(done)
        return done

    async def present_anywhere(self, id_tag: str) -> bool:
        """Hold ``id_tag`` to the one reader of all connectors.

        It stops the transaction that it started, else starts where a cable is in, else at the
        connector that gets a cable within ConnectionTimeOut.
        """
        sessions = list(self._station.sessions.values())
        for session in sessions:
            transaction = session.connector.transaction
            if transaction is not None and transaction.id_tag.lower() == id_tag.lower():
                return await self.present(session, id_tag)
        for session in sessions:
            connector = session.connector
            if connector.transaction is None and connector.vehicle is not None:
                return await self.present(session, id_tag)
        allowed = await self.authorize(id_tag)
        if allowed:
            patience = self._station.configuration.integer("ConnectionTimeOut")
            self._held = (id_tag, self._station.clock.monotonic() + patience)
        self._blink(allowed)
        return allowed

    def claim(self, session: "ConnectorSession") -> str | None:
        """Return, once, the tag that waits for the next cable, if it may charge here."""
        if self._held is None:
            return None
        id_tag, until = self._held
        if until <= self._station.clock.monotonic():
            self._held = None
            return None
        if not self.lets_in(session, id_tag):
            return None
        self._held = None
        return id_tag

    async def _present(self, session: "ConnectorSession", id_tag: str) -> bool:
        connector = session.connector
        transaction = connector.transaction
        if transaction is not None:
            if transaction.id_tag.lower() != id_tag.lower() and not await self._same_group(
                transaction.id_tag, id_tag
            ):
                return False
            if connector.transaction is transaction:
                session.end_transaction("Local", id_tag)
            return True
        if connector.is_locked:
            if await self.authorize(id_tag):
                session.unlock()
                return True
            return False
        if self._station.temper.has("needs-remote-start"):
            return False
        if not self.may_let_in(session, id_tag) or not await self.authorize(id_tag):
            return False
        # The group may be known only now.
        if connector.transaction is not None or not self.lets_in(session, id_tag):
            return False
        session.grant(id_tag)
        return True

    def _blink(self, accepted: bool) -> None:
        times = self._station.configuration.integer("BlinkRepeat")
        self._station.emit("blink", times=times, accepted=accepted)

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

    def may_let_in(self, session: "ConnectorSession", id_tag: str) -> bool:
        """Return ``lets_in``, or whether asking for the tag's group may change that."""
        if self.lets_in(session, id_tag):
            return True
        reservation = session.connector.reservation
        return (
            session.connector.status not in ("Faulted", "Unavailable")
            and reservation is not None
            and reservation.parent_id_tag is not None
            and self._station.tags.parent(id_tag) is None
        )

    async def authorize(self, id_tag: str) -> bool:
        """Return whether ``id_tag`` may charge; offline by what is known here."""
        configuration = self._station.configuration
        verdict = self._verdict(id_tag)
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
        self.learn(id_tag, answer.id_tag_info)
        return bool(answer.id_tag_info["status"] == "Accepted")

    def _verdict(self, id_tag: str, *, use_cache: bool = True) -> str | None:
        configuration = self._station.configuration
        return self._station.tags.verdict(
            id_tag,
            self._station.clock.now(),
            use_list=configuration.flag("LocalAuthListEnabled"),
            use_cache=use_cache and configuration.flag("AuthorizationCacheEnabled"),
        )

    def learn(self, id_tag: str, info: Mapping[str, Any]) -> None:
        """Take in what the central system said of a tag; a list that differs is a conflict (3.5.3).

        ConcurrentTx is about a transaction, not about the tag.
        """
        listed = self._verdict(id_tag, use_cache=False)
        if listed == "Accepted" and info["status"] not in ("Accepted", "ConcurrentTx"):
            availability.warn(self._station, "LocalListConflict")
        if listed is not None or info["status"] == "ConcurrentTx":
            return
        if self._station.configuration.flag("AuthorizationCacheEnabled"):
            self._station.tags.remember(id_tag, info)

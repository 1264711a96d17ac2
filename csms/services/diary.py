"""The connection diary: who has tried to connect, what came of it, and what would help.

No handshake waits for it; see `Notes`.
"""

from __future__ import annotations

from csms.clock import Clock
from csms.services.notes import Notes
from csms.services.ports.diary import Attempt, DiaryStore

_FIXES = {
    "no such station": "Add a station of this identity, or correct the identity that is set in "
    "the charge point (capitals count).",
    "the station's security profile demands TLS": "Let the charge point connect by wss, or lower "
    "the station's securityProfile to 0 or 1.",
    "the station's security profile demands a client certificate": "Install a client certificate "
    "in the charge point, or lower the station's securityProfile.",
    "the client certificate is another station's": "Set the station's serialNumber to the common "
    "name of its certificate, or install the right certificate.",
    "the client certificate is revoked": "Let the charge point ask for a new one over another "
    "profile, or install one.",
    "the client certificate names another organization": "Let the charge point ask for a new "
    "one (its CpoName first), or set the station's subjectCheck to relaxed.",
    "wrong password": "Set the station's password to the charge point's AuthorizationKey; the "
    "user name must be the identity.",
    "no password": "Set the AuthorizationKey in the charge point, or the station's "
    "securityProfile to 0.",
    "no acceptable subprotocol": "Set the charge point to OCPP 1.6 (JSON), so that it offers the "
    "subprotocol ocpp1.6: not 1.5, SOAP or 2.0.1. If it does, set the station's strict to false.",
    "the request is no HTTP/1.1": "Look for blanks in the address that is set in the charge point, "
    "or set the station's strict to false.",
    "two clients of one identity": "Two charge points use this identity: give one of them another.",
    "the database is away": "Nothing is wrong with the charge point: it will come again.",
}


def fix(attempt: Attempt) -> str | None:
    """Return what would let a refused attempt in; None when it was not refused."""
    return fix_of(attempt.reason)


def fix_of(reason: str | None) -> str | None:
    """Return what would help against a reason of a refusal, where that is known."""
    return None if reason is None else _FIXES.get(reason)


class Diary(Notes[Attempt]):
    """Takes attempts and gives them."""

    def __init__(self, store: DiaryStore, clock: Clock) -> None:
        super().__init__("connections", store.note, clock)
        self._store = store

    async def page(
        self, identity: str, limit: int, before: int | None = None
    ) -> list[tuple[int, Attempt]]:
        """Return attempts of an identity with their keys, the newest first."""
        await self.flush()
        return await self._store.page(identity, limit, before)

"""Which certificates charge points have connected with, noted without holding up a handshake."""

from __future__ import annotations

from datetime import datetime

from csms.clock import Clock
from csms.domain.certificates import ClientCertificate
from csms.domain.charge_points import ChargePointRecord
from csms.services.notes import Notes
from csms.services.ports.certificates import CertificateStore


class ShownCertificates(Notes[tuple[ChargePointRecord, ClientCertificate, datetime]]):
    """Takes notes of who came with which certificate, and when."""

    def __init__(self, store: CertificateStore, clock: Clock) -> None:
        super().__init__("certificates shown", store.shown, clock)

    def note(self, record: ChargePointRecord, certificate: ClientCertificate) -> None:
        """Note that a station has come with this certificate. Never blocks."""
        self.add((record, certificate, self._clock.now()))

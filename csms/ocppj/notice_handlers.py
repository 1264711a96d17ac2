"""What charge points report beside charging: jobs, security events, requests for certificates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from csms.ocppj import messages
from csms.ocppj.messages import Source
from csms.ocppj.serving import Answer, Handler, Later, Station
from csms.services.notices import Notices
from csms.services.ports.notices import Notice
from csms.services.signing import Signing


class NoticeHandlers:
    """Serves what charge points report beside charging; each is stored, then answered `{}`."""

    def __init__(self, notices: Notices, signing: Signing | None) -> None:
        self._notices = notices
        self._signing = signing

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by action."""
        return {
            "DiagnosticsStatusNotification": self._kept(messages.diagnostics_status),
            "FirmwareStatusNotification": self._kept(messages.firmware_status),
            "LogStatusNotification": self._kept(messages.log_status),
            "SecurityEventNotification": self._kept(messages.security_event),
            "SignCertificate": self._sign_certificate,
            "SignedFirmwareStatusNotification": self._kept(messages.signed_firmware_status),
        }

    def _kept(self, read: Callable[[Mapping[str, Any], Source], Notice]) -> Handler:
        def handle(station: Station, payload: Mapping[str, Any], source: Source) -> Later:
            return partial(self._submit, read(payload, source), {})

        return handle

    def _sign_certificate(
        self, station: Station, payload: Mapping[str, Any], source: Source
    ) -> Later:
        if self._signing is not None:
            return partial(self._asked, self._signing, station, payload["csr"], source)
        # M80: nobody here can sign it
        notice = messages.unsigned_certificate(source)
        return partial(self._submit, notice, {"status": "Rejected"})

    async def _asked(self, signing: Signing, station: Station, csr: str, source: Source) -> Answer:
        accepted = await signing.requested(station.record, csr, source.received_at)
        return {"status": "Accepted" if accepted else "Rejected"}

    async def _submit(self, notice: Notice, answer: Answer) -> Answer:
        await self._notices.submit(notice)
        return answer

"""UpdateFirmware and SignedUpdateFirmware: fetch, check, wait, install, boot (OCPP 1.6 5.19, L01).

The file is really fetched and its signature really checked; what was fetched is not run, of course:
the installation is played, and the next BootNotification tells the last segment of the location as
version. A newer request ends an older one unless that is installing already.
"""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from ocpp.v16 import call, enums

from simulator import availability
from simulator.certificates import (
    MANUFACTURER,
    CertificateError,
    check_chain,
    pem_of,
    read_chain,
)
from simulator.clock import parse_iso
from simulator.errors import CallFailed
from simulator.reboots import reboot
from simulator.transfer import SECURED, TransferError, download, without_secrets

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


INSTALLING = ("Installing", "InstallRebooting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A requested update; with ``signer`` it is one of the security extension.

    Attributes:
        install_at: not before then (None: at once).
        signature: base64, over the whole file, SHA-256.
    """

    location: str
    retrieve_at: datetime
    install_at: datetime | None = None
    retries: int = 0
    interval_s: int = 0
    request_id: int | None = None
    signer: x509.Certificate | None = None
    signature: str = ""

    @property
    def version(self) -> str:
        """What BootNotification tells once it is installed: the location's last segment."""
        name = self.location.partition("?")[0].rstrip("/").rpartition("/")[2]
        return name[:50] or "unknown"


def _update_memo(update: Update) -> dict[str, Any]:
    install_at = update.install_at
    return {
        "location": update.location,
        "retrieve_at": update.retrieve_at.isoformat(),
        "install_at": install_at.isoformat() if install_at is not None else None,
        "retries": update.retries,
        "interval_s": update.interval_s,
        "request_id": update.request_id,
        "signer": pem_of(update.signer) if update.signer is not None else None,
        "signature": update.signature,
    }


def _update_of(memo: Mapping[str, Any]) -> Update:
    install_at, signer = memo["install_at"], memo["signer"]
    changes = {
        "retrieve_at": parse_iso(memo["retrieve_at"]),
        "install_at": parse_iso(install_at) if install_at is not None else None,
        "signer": read_chain(signer)[0] if signer is not None else None,
    }
    return Update(**{**memo, **changes})


def is_signed_by(data: bytes, signature: str, signer: x509.Certificate) -> bool:
    """Return whether ``signature`` (base64) is the signer's over ``data``: RSA or ECDSA, SHA-256.

    RSA may be PKCS #1 v1.5 or PSS: central systems use both.
    """
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    key = signer.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(raw, data, ec.ECDSA(hashes.SHA256()))
            return True
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
        return _is_rsa(key, raw, data, padding.PKCS1v15()) or _is_rsa(key, raw, data, pss)
    except InvalidSignature:
        return False


def _is_rsa(
    key: rsa.RSAPublicKey, raw: bytes, data: bytes, how: padding.PKCS1v15 | padding.PSS
) -> bool:
    try:
        key.verify(raw, data, how, hashes.SHA256())
    except InvalidSignature:
        return False
    return True


class Firmware:
    """The firmware of one charge point and the update that is under way.

    Args:
        station: the charge point.
    """

    def __init__(self, station: "ChargePointSimulator") -> None:
        self._station = station
        self.version = station.settings.firmware_version
        self.status = "Idle"
        self._update: Update | None = None
        self._task: asyncio.Task[Any] | None = None
        self._closed: list[int] = []
        self._interrupted: tuple[Update, str] | None = None

    @property
    def mark(self) -> tuple[object, ...]:
        """What is another one whenever ``memo`` is."""
        return self.version, self.status, self._update, tuple(self._closed)

    def memo(self) -> dict[str, Any]:
        """Return what is installed and what is under way, JSON-ready."""
        update = self._update
        return {
            "version": self.version,
            "status": self.status,
            "closed": self._closed,
            "update": _update_memo(update) if update is not None else None,
        }

    def recall(self, memo: Mapping[str, Any]) -> None:
        """Have what ``memo`` holds; ``resume`` goes on with what was under way."""
        self.version, self._closed = memo["version"], list(memo["closed"])
        if memo["update"] is not None:
            self._interrupted = (_update_of(memo["update"]), memo["status"])

    def reopen(self) -> None:
        """Let connectors serve again that an update had closed when the power was lost."""
        for number in self._closed:
            if number in self._station.sessions:
                availability.change(self._station, number, operative=True)
        self._closed = []

    async def resume(self) -> None:
        """Tell that an installation came to its end with the boot, or begin the update anew."""
        if self._interrupted is None:
            return
        (update, status), self._interrupted = self._interrupted, None
        await self._station.until_registered()
        if status not in INSTALLING or self.version != update.version:
            await self.run(update)
            return
        self._update = update
        try:
            await self._tell_installed(update)
        finally:
            self.status, self._update = "Idle", None

    def notification(self, *, signed: bool) -> Any:
        """Return the message that tells how far the update is; Idle belongs to none."""
        update = self._update
        is_other_kind = update is not None and (update.request_id is not None) != signed
        status = enums.FirmwareStatus("Idle" if is_other_kind else self.status)
        if not signed:
            return call.FirmwareStatusNotification(status=status)
        # The package's type wants an id, the schema does not.
        request: Any = update.request_id if update is not None and not is_other_kind else None
        return call.SignedFirmwareStatusNotification(status=status, request_id=request)

    def trusted_signer(self, pem: str) -> x509.Certificate | None:
        """Return the signing certificate in ``pem``, None unless a manufacturer's root vouches."""
        station = self._station
        try:
            (signer,) = read_chain(pem)
            check_chain([signer], station.security.roots.of(MANUFACTURER), station.clock.now())
        except ValueError as error:
            what = error if isinstance(error, CertificateError) else "not one certificate"
            station.security_log.record("InvalidFirmwareSigningCertificate", str(what))
            return None
        return signer

    def make_room(self) -> str:
        """End an update that is under way; return the status of a request that comes now."""
        task = self._task
        if task is None or task.done():
            return "Accepted"
        if self.status in INSTALLING:
            return "Rejected"
        task.cancel()
        self._task = None
        return "AcceptedCanceled"

    async def run(self, update: Update) -> None:
        """Carry an update out, from ``retrieve_at`` on.

        Cancellation: a newer request has taken its place; nothing more is told of it.
        """
        self._task, self._update = asyncio.current_task(), update
        try:
            await self._run(update)
        finally:
            if self._update is update:
                self.status, self._update = "Idle", None

    async def _run(self, update: Update) -> None:
        station = self._station
        step_s = station.settings.step_s
        wait_s = (update.retrieve_at - station.clock.now()).total_seconds()
        if update.signer is not None and wait_s > 0:
            await self._tell("DownloadScheduled")
        await station.clock.sleep(wait_s)
        await self._tell("Downloading")
        await station.clock.sleep(step_s)
        data = await self._fetch(update)
        if data is None:
            await self._tell("DownloadFailed")
            return
        await self._tell("Downloaded")
        await station.clock.sleep(step_s)
        if update.signer is not None:
            if not is_signed_by(data, update.signature, update.signer):
                await self._tell("InvalidSignature")
                station.security_log.record(
                    "InvalidFirmwareSignature", without_secrets(update.location)
                )
                return
            await self._tell("SignatureVerified")
        await self._wait_for_date(update)
        await self._install(update)

    async def _wait_for_date(self, update: Update) -> None:
        if update.install_at is None:
            return
        wait_s = (update.install_at - self._station.clock.now()).total_seconds()
        if wait_s > 0:
            await self._tell("InstallScheduled")
            await self._station.clock.sleep(wait_s)

    async def _install(self, update: Update) -> None:
        station = self._station
        step_s = station.settings.step_s
        self._closed = [
            number for number, session in station.sessions.items() if session.connector.operative
        ]
        for number in self._closed:
            availability.change(station, number, operative=False)
        try:
            while station.is_busy:
                await station.clock.sleep(step_s)
            await self._tell("Installing")
            await station.clock.sleep(step_s)
            works = not station.temper.has("firmware-fails")
            if works:
                if update.signer is not None:
                    await self._tell("InstallRebooting")
                self.version = update.version
                await reboot(station)
        finally:
            self.reopen()
        await station.until_registered()
        if works:
            await self._tell_installed(update)
        else:
            await self._tell("InstallationFailed")

    async def _tell_installed(self, update: Update) -> None:
        if update.signer is not None:
            self._station.security_log.record("FirmwareUpdated", self.version)
        await self._tell("Installed")

    async def _fetch(self, update: Update) -> bytes | None:
        station = self._station
        protocols = station.configuration.items("SupportedFileTransferProtocols")
        tls = station.security.file_context() if update.location.startswith(SECURED) else None
        for left in range(max(0, update.retries), -1, -1):
            try:
                return await download(update.location, protocols, tls)
            except TransferError as error:
                place = without_secrets(update.location)
                station.emit("transfer_failed", location=place, error=str(error))
            if not left:
                break
            if update.signer is not None:
                await self._tell("DownloadPaused")
            await station.clock.sleep(max(0, update.interval_s))
            if update.signer is not None:
                await self._tell("Downloading")
        return None

    async def _tell(self, status: str) -> None:
        """Tell how far the update is; one that reaches nobody does not stop it."""
        self.status = status
        signed = self._update is not None and self._update.request_id is not None
        try:
            await self._station.link.call(self.notification(signed=signed))
        except CallFailed as error:
            self._station.emit("gave_up", error=str(error))

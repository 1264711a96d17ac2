"""Firmware, diagnostics and log jobs, as charge points report on them (OCPP 1.6 4.4, 4.5).

Reports come in any order, late, twice and unasked (M70): each is kept, and `advance` says what it
means for the job. The first end stands, but for one thing: a job that failed and then reports its
success, as stations with retries do, is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from csms.domain.ids import ChargePointKey
from csms.domain.masking import without_credentials

JobKind = Literal["firmware", "diagnostics", "log"]
JobState = Literal["running", "done", "failed"]

KIND_OF_ACTION: dict[str, JobKind] = {
    "UpdateFirmware": "firmware",
    "SignedUpdateFirmware": "firmware",
    "GetDiagnostics": "diagnostics",
    "GetLog": "log",
}
"""The calls that begin a job."""

CANCELED = "Canceled"
"""Status of a job that a newer one has taken the place of (AcceptedCanceled)."""
NOTHING_AVAILABLE = "NothingAvailable"
"""Status of a diagnostics job whose GetDiagnostics.conf names no file (N09)."""

_IDLE = "Idle"
_DONE = frozenset({"Installed", "Uploaded"})
_FAILED = frozenset(
    {
        "DownloadFailed",
        "InstallationFailed",
        "InstallVerificationFailed",
        "InvalidSignature",
        "UploadFailed",  # of diagnostics
        "UploadFailure",  # of logs (M71)
        "BadMessage",
        "NotSupportedOperation",
        "PermissionDenied",
        CANCELED,
        NOTHING_AVAILABLE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatusFact:
    """A status notification of firmware, diagnostics or a log, solicited or not.

    Attributes:
        request_id: As sent, which may be anybody's; None where there is none.
        by_request: Whether this kind of message has to name its request (M70).
    """

    charge_point: ChargePointKey
    received_at: datetime
    kind: JobKind
    status: str
    request_id: int | None = None
    by_request: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether it says that nothing is going on."""
        return self.status == _IDLE


def advance(state: JobState, status: str) -> JobState | None:
    """Return the state of a job after a report; None when the report changes nothing.

    >>> advance("running", "Downloading"), advance("running", "Uploaded")
    ('running', 'done')
    >>> advance("done", "Downloading"), advance("failed", "Installed"), advance("done", "Idle")
    (None, 'done', None)
    """
    if status == _IDLE:
        return None
    if status in _DONE:
        return "done" if state != "done" else None
    if state != "running":
        return None
    return "failed" if status in _FAILED else "running"


def file_name(action: str, payload: dict[str, Any], response: dict[str, Any]) -> str | None:
    """Return the file that a job is about: what is installed, or what the station uploads.

    >>> file_name("GetLog", {}, {"status": "Accepted", "filename": "log.txt"})
    'log.txt'
    >>> file_name("UpdateFirmware", {"location": "https://u:p@host/a/fw.bin?token=1"}, {})
    'fw.bin'
    >>> file_name("GetDiagnostics", {}, {"fileName": "ftp://u:p@host/a/log.zip"})
    'ftp://***@host/a/log.zip'
    """
    if action in ("GetDiagnostics", "GetLog"):
        name = response.get("fileName" if action == "GetDiagnostics" else "filename")
        return without_credentials(name) if name else None
    location = payload["location"] if "location" in payload else payload["firmware"]["location"]
    path = location.partition("://")[2].partition("?")[0].partition("#")[0]
    return path.rpartition("/")[2] if "/" in path else None

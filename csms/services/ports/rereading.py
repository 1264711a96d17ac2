"""The port of decoding: what it makes of a frame that was logged, with nothing stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from csms.services.records import MessageRecord

Verdict = Literal["taken", "refused", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongField:
    """One thing that breaks the schema; `field` as ``meterValue[0].timestamp``."""

    field: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What decoding makes of a frame.

    Attributes:
        verdict: `taken`; `refused`: a call that is answered with a CALLERROR, an answer that
            nobody can use; `dropped`: nothing is answered.
        payload: As it would be taken; what it is where it is not; None: it cannot be read.
        repairs: That were needed, in their order.
        doubts: Findings that a session would get of it.
        code: Of the CALLERROR; None where there is none.
        text: Why it is not taken.
        problems: All that breaks the schema, the worst first.
    """

    verdict: Verdict
    action: str | None = None
    payload: Any = None
    repairs: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    code: str | None = None
    text: str | None = None
    problems: tuple[WrongField, ...] = ()


class FrameReader(Protocol):
    """Decodes frames of the log once more. Safe for concurrent callers."""

    @property
    def beyond_frame(self) -> frozenset[str]:
        """Repairs that no frame alone can show: of handshakes, and of what came before it."""
        ...

    def read(self, record: MessageRecord, *, strict: bool) -> Reading:
        """Return what decoding makes today of a frame that a charge point has sent.

        Args:
            record: As it was logged, so without secrets.
            strict: As for a strict station, which gets no repairs.
        """
        ...

"""How a central system's answers differ from recorded ones.

Pure. What must differ is passed over: the time, and the id of a transaction (which is mapped).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

ALWAYS_OTHER = frozenset(
    {"BootNotification.currentTime", "Heartbeat.currentTime", "StartTransaction.transactionId"}
)

Reason = Literal["field", "kind", "missing", "unrecorded", "not readable"]
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference between two answers to the same call.

    Attributes:
        line: of the call, in the bundle.
        place: ``Action.path.of.the.field``.
        why: ``kind``: a result here, an error there; ``missing``: no answer came; ``unrecorded``:
            an answer came where the bundle has none.
    """

    line: int
    action: str
    place: str
    why: Reason
    recorded: Any
    got: Any


def compare(
    line: int, action: str, recorded: list[Any], got: list[Any], ignored: Collection[str] = ()
) -> list[Difference]:
    """Return how the frame ``got`` differs from the frame ``recorded``.

    Args:
        line: of the call, in the bundle.
        action: of the call.
        recorded: a CALLRESULT or CALLERROR, decoded.
        got: another one.
        ignored: places that may differ, beside ``ALWAYS_OTHER``.

    >>> compare(3, "Authorize", [3, "1", {"idTagInfo": {"status": "Accepted"}}],
    ...         [3, "9", {"idTagInfo": {"status": "Invalid"}}])[0].place
    'Authorize.idTagInfo.status'
    """
    if recorded[:1] != got[:1]:
        return [_of(line, action, action, "kind", recorded[:1] + recorded[2:], got[:1] + got[2:])]
    if got[0] == 4:
        # Descriptions are free text; the code is what a charge point acts on.
        same = recorded[2:3] == got[2:3]
        place = f"{action}.errorCode"
        return [] if same else [_of(line, action, place, "kind", recorded[2:3], got[2:3])]
    passed_over = ALWAYS_OTHER | frozenset(ignored)
    return [
        _of(line, action, place, "field", was, now)
        for place, was, now in _differing(action, recorded[2:3], got[2:3])
        if place not in passed_over
    ]


def _of(line: int, action: str, place: str, why: Reason, recorded: Any, got: Any) -> Difference:
    return Difference(line=line, action=action, place=place, why=why, recorded=recorded, got=got)


def _differing(place: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield place, recorded and new value of each leaf that differs; None where there is none."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*was, *(key for key in now if key not in was)]:
            yield from _differing(f"{place}.{key}", was.get(key), now.get(key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for one, other in zip(was, now, strict=True):
            yield from _differing(place, one, other)
    elif was != now:
        yield place, was, now


@dataclass(slots=True, kw_only=True)
class ReplayReport:
    """What came of a replay.

    Attributes:
        sent: calls and unreadable frames that were sent.
        answered: calls that got an answer.
        called: the other central system's calls by action.
        unexpected: those for which the bundle has no answer.
        never_called: the recorded central system's calls that were not made, by action.
        broken_off: why not all was played; None: all was.
    """

    station_id: str
    url: str
    seconds: float = 0.0
    sent: int = 0
    answered: int = 0
    connections: int = 0
    transactions: dict[int, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    called: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)
    never_called: Counter[str] = field(default_factory=Counter)
    broken_off: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the report, JSON-ready."""
        return {
            "stationId": self.station_id,
            "url": self.url,
            "seconds": round(self.seconds, 1),
            "sent": self.sent,
            "answered": self.answered,
            "connections": self.connections,
            "transactions": [
                {"recorded": was, "given": now} for was, now in self.transactions.items()
            ],
            "differences": [asdict(one) for one in self.differences],
            "calls": {
                "made": dict(self.called),
                "unexpected": dict(self.unexpected),
                "neverMade": dict(self.never_called),
            },
            "brokenOff": self.broken_off,
        }

    def __str__(self) -> str:
        lines = [
            f"{self.station_id}: {self.sent} frames sent, {self.answered} answered, "
            f"{len(self.differences)} differences, {len(self.transactions)} transactions, "
            f"{self.seconds:.1f} s"
        ]
        lines += list(_grouped(self.differences))
        for text, counts in (
            ("calls without a recorded answer", self.unexpected),
            ("recorded calls that were not made", self.never_called),
        ):
            if counts:
                names = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
                lines.append(f"{text}: {names}")
        if self.broken_off is not None:
            lines.append(f"broken off: {self.broken_off}")
        return "\n".join(lines)


def _grouped(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield one line a place and pair of values, with how often and where first."""
    groups: dict[tuple[str, str, str, str], list[Difference]] = {}
    for one in differences:
        key = (one.place, one.why, repr(one.recorded), repr(one.got))
        groups.setdefault(key, []).append(one)
    for (place, why, recorded, got), found in list(groups.items())[: _SHOWN * 5]:
        lines = ", ".join(str(one.line) for one in found[:_SHOWN])
        more = ", ..." if len(found) > _SHOWN else ""
        yield f"  {place} ({why}, {len(found)} times, line {lines}{more}): {recorded} -> {got}"
    if len(groups) > _SHOWN * 5:
        yield f"  and {len(groups) - _SHOWN * 5} more kinds"

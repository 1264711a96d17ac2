"""Which phases of the grid a charger's conductors are on.

OCPP's ConnectorPhaseRotation names them by R, S, T: ``STR`` means that the charger's first phase is
the grid's S, that is L2. A set of phases is a number: bit 0 is L1, bit 1 L2, bit 2 L3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache

ALL_PHASES = 0b111
_TELLING_MA = 5_000
_USED_MA = 1_000
_ENOUGH = 2
_PLACES = {"R": 0, "S": 1, "T": 2}


class PhaseRotation(StrEnum):
    """How a charger's phases are wired to the grid's; UNKNOWN where nobody has looked."""

    RST = "RST"
    RTS = "RTS"
    SRT = "SRT"
    STR = "STR"
    TRS = "TRS"
    TSR = "TSR"
    UNKNOWN = "Unknown"


_WIRED = frozenset(each.value for each in PhaseRotation if each is not PhaseRotation.UNKNOWN)


@cache
def grid_phases(rotation: PhaseRotation, conductors: int) -> int:
    """Return the grid's phases of some of a charger's conductors.

    Args:
        rotation: Of the charger. Where it is unknown a load on one or two phases may be on any, so
            that it counts on all of them.
        conductors: The charger's own phases, as bits.

    >>> grid_phases(PhaseRotation.STR, 0b001), grid_phases(PhaseRotation.STR, 0b011)
    (2, 6)
    >>> grid_phases(PhaseRotation.UNKNOWN, 0b001)
    7
    """
    if rotation is PhaseRotation.UNKNOWN:
        return ALL_PHASES
    letters = rotation.value
    return sum(1 << _PLACES[letters[n]] for n in range(3) if conductors >> n & 1)


def told_rotation(value: str) -> PhaseRotation | None:
    """Return what a charger says of its wiring (ConnectorPhaseRotation); None: nothing of use.

    Connector 0 is the charger's own supply, which counts where nothing is said of connectors.

    >>> told_rotation("0.RST, 1.STR, 2.STR"), told_rotation("0.TRS,1.NotApplicable")
    (<PhaseRotation.STR: 'STR'>, <PhaseRotation.TRS: 'TRS'>)
    >>> told_rotation("1.RST,2.STR"), told_rotation("Unknown")
    (<PhaseRotation.UNKNOWN: 'Unknown'>, None)
    """
    own: set[PhaseRotation] = set()
    connectors: set[PhaseRotation] = set()
    for entry in value.split(","):
        number, _, letters = entry.strip(" '\"").rpartition(".")
        if letters.upper() in _WIRED:
            (own if number == "0" else connectors).add(PhaseRotation(letters.upper()))
    found = connectors or own
    if not found:
        return None
    return found.pop() if len(found) == 1 else PhaseRotation.UNKNOWN


def phases_seen(readings: Iterable[Sequence[int]]) -> int | None:
    """Return the phases that a car draws on, as bits; None when its readings do not tell.

    Two readings at least, each with so much current that a phase without any is certainly unused.

    Args:
        readings: Current of the charger's L1, L2, L3 in mA.

    >>> phases_seen([(15900, 120, 0), (16000, 100, 0)])
    1
    """
    told = [each for each in readings if max(each) >= _TELLING_MA]
    if len(told) < _ENOUGH:
        return None
    return sum(1 << n for n in range(3) if max(each[n] for each in told) >= _USED_MA)


def phase_names(phases: int) -> str:
    """Return a set of phases as people write it.

    >>> phase_names(0b101)
    'L1 and L3'
    """
    return " and ".join(f"L{n + 1}" for n in range(3) if phases >> n & 1)

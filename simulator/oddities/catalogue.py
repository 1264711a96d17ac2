"""All oddities by name."""

from collections.abc import Mapping
from typing import Any, get_args

from simulator.errors import OddityError
from simulator.oddities.charging import CHARGING
from simulator.oddities.clocks import CLOCKS
from simulator.oddities.faults import FAULTS
from simulator.oddities.framing import FRAMING
from simulator.oddities.handshake import HANDSHAKE
from simulator.oddities.left_out import LEFT_OUT
from simulator.oddities.metering import METERING
from simulator.oddities.model import Family, Oddity
from simulator.oddities.repeats import REPEATS
from simulator.oddities.transactions import TRANSACTIONS

FAMILIES: tuple[Family, ...] = get_args(Family)
ALL: tuple[Oddity, ...] = tuple(
    sorted(
        (
            *FRAMING,
            *HANDSHAKE,
            *TRANSACTIONS,
            *REPEATS,
            *CLOCKS,
            *METERING,
            *LEFT_OUT,
            *CHARGING,
            *FAULTS,
        ),
        key=lambda one: FAMILIES.index(one.family),
    )
)
BY_NAME: Mapping[str, Oddity] = {oddity.name: oddity for oddity in ALL}


def find(spec: str | Mapping[str, Any]) -> tuple[Oddity, Mapping[str, Any]]:
    """Return the oddity that a name, or an object with ``name`` and parameters, means.

    Raises:
        OddityError: there is none of that name, or the object has none.
    """
    name = spec if isinstance(spec, str) else spec.get("name")
    oddity = BY_NAME.get(name) if isinstance(name, str) else None
    if oddity is None:
        msg = f"there is no quirk or fault {name!r}"
        raise OddityError(msg)
    given = {} if isinstance(spec, str) else {k: v for k, v in spec.items() if k != "name"}
    settled_parameters(oddity, given)
    return oddity, given


def settled_parameters(oddity: Oddity, given: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the oddity's parameters with those that are given.

    Raises:
        OddityError: a parameter that it does not have, or that is not a number of at least 0.
    """
    for name, value in given.items():
        if name not in oddity.parameters:
            known = ", ".join(oddity.parameters) or "none"
            msg = f"{oddity.name} has no parameter {name!r}; known: {known}"
            raise OddityError(msg)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            msg = f"{oddity.name}: {name} is a number of at least 0"
            raise OddityError(msg)
    return {**oddity.parameters, **given}

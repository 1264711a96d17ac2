"""What a charge point tells whoever watches it: tests, the fleet's counters, a user interface."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened at a charge point.

    Attributes:
        name: ``connected``, ``disconnected``, ``not_connected`` (``why``), ``registered``,
            ``status``, ``started``, ``stopped``, ``answered``, ``refused`` and ``dropped`` (a
            queued message), ``call_failed``,
            ``rebooting``, ``reset_failed``, ``received`` (a call of the central system), ``limit``,
            ``blink``, ``light``, ``clock_set``, ``fell_back`` (to a security profile),
            ``certificate_asked``, ``transfer_failed``, ``gave_up`` (work that a call began).
        charge_point: its identity.
        at: when, by the charge point's clock.
        data: the facts, by name.
    """

    name: str
    charge_point: str
    at: datetime
    data: Mapping[str, object] = field(default_factory=dict)


EventHook = Callable[[Event], None]

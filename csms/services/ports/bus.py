"""The port of the bus: hints between loops, in process or between nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from csms.domain.events import Event

E = TypeVar("E", bound=Event)


class Bus(Protocol):
    """Carries hints. Losing one is allowed; delivering one twice too."""

    def publish(self, event: Event) -> None:
        """Tell all subscribers; never blocks and never raises."""
        ...

    def subscribe(self, kind: type[E], receive: Callable[[E], None]) -> Callable[[], None]:
        """Call `receive` for each event of this kind; returns how to unsubscribe.

        `receive` runs on the event loop and must be quick: give a `Hint`, set a flag.
        """
        ...

"""The bus of one process: a hint reaches its subscribers before `publish` returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from csms.domain.events import Event

_log = structlog.get_logger(__name__)

E = TypeVar("E", bound=Event)


class LocalBus:
    """Implements `csms.services.ports.bus.Bus`.

    Concurrency: for the event loop's thread only.
    """

    def __init__(self) -> None:
        self._receivers: dict[type[Any], tuple[Callable[[Any], None], ...]] = {}

    def publish(self, event: Event) -> None:
        """Tell all subscribers of this kind, in the order of their subscription.

        A receiver that fails is logged and does not keep the hint from the others.
        """
        for receive in self._receivers.get(type(event), ()):
            try:
                receive(event)
            except Exception:  # noqa: BLE001  the port promises that publish never raises
                _log.exception("receiver of a hint failed", hint=type(event).__name__)

    def subscribe(self, kind: type[E], receive: Callable[[E], None]) -> Callable[[], None]:
        """Call `receive` for each event of this kind; returns how to unsubscribe."""
        # Each subscription is an object of its own: the same function may subscribe twice, and
        # tuples let a receiver (un)subscribe while a hint is on its way.
        own = _Receiver(receive)
        self._receivers[kind] = (*self._receivers.get(kind, ()), own)

        def unsubscribe() -> None:
            self._receivers[kind] = tuple(
                other for other in self._receivers.get(kind, ()) if other is not own
            )

        return unsubscribe


class _Receiver:
    __slots__ = ("_receive",)

    def __init__(self, receive: Callable[[Any], None]) -> None:
        self._receive = receive

    def __call__(self, event: Any) -> None:
        self._receive(event)

"""When something was done last, and whether it is due again."""

from __future__ import annotations

from csms.clock import Clock


class Due:
    """Remembers by name. Concurrency: for the event loop's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: dict[str, float] = {}

    def take(self, name: str, every_s: float) -> bool:
        """Return whether it is due, and note that it is done now if so."""
        if self.left(name, every_s) > 0:
            return False
        self._taken[name] = self._clock.monotonic()
        return True

    def left(self, name: str, every_s: float) -> float:
        """Return in how many seconds it is due; 0 when it is, or was never done."""
        taken = self._taken.get(name)
        if taken is None:
            return 0.0
        return max(0.0, taken + every_s - self._clock.monotonic())

    def forget(self, *names: str) -> None:
        """Let these be due at once; without a name all."""
        for name in names or tuple(self._taken):
            self._taken.pop(name, None)

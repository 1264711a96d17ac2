"""When a site is looked at next: at once after a hint, else after a while.

A step answers every hint that was given before it has read the site, whoever asked for the step. So
a change of an operator, which is decided on at once, costs one step and not a second one in the
loop; and who asks while steps follow each other gets the first one that knows his change.

Pure bookkeeping; `csms.services.smart_charging` steps.
"""

from __future__ import annotations

from csms.aio import Hint
from csms.domain.site_status import SiteStatus


class Agenda:
    """Of one site.

    Concurrency: one event loop; one step at a time, one task waits.
    """

    def __init__(self) -> None:
        self._hint = Hint()
        self._is_due = True
        self._pause_s = 0.0
        self._begun = 0
        self._newest: tuple[int, SiteStatus] | None = None

    @property
    def is_due(self) -> bool:
        """Whether the site has to be looked at: a hint or the end of a pause is not answered."""
        return self._is_due

    @property
    def begun(self) -> int:
        """How many steps have begun."""
        return self._begun

    def give(self) -> None:
        """Let the site be looked at at once."""
        self._is_due = True
        self._hint.give()

    def begin(self) -> None:
        """Note that a step begins: what it reads is newer than all hints until now."""
        self._begun += 1
        self._is_due = False

    def end(self, status: SiteStatus, pause_s: float) -> None:
        """Note what the step has decided, and after how long to look again without a hint."""
        self._newest = self._begun, status
        self._pause_s = pause_s
        self._hint.give()  # whoever waits has another pause now

    def fail(self) -> None:
        """Note that the step has come to nothing: the hints that it was to answer are open."""
        self.give()

    def decided_since(self, begun: int) -> SiteStatus | None:
        """Return the newest decision if its step began after so many others."""
        if self._newest is None or self._newest[0] <= begun:
            return None
        return self._newest[1]

    async def wait(self) -> None:
        """Wait until the site has to be looked at. Cancellation: hints stay given."""
        while not self._is_due:
            if not await self._hint.taken(self._pause_s):
                self._is_due = True

"""The port of notices: what charge points report beside charging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from csms.domain.jobs import JobStatusFact
from csms.domain.reservations import ConnectorDownFact
from csms.domain.security_events import SecurityEventFact

Notice = JobStatusFact | SecurityEventFact | ConnectorDownFact


class NoticeStore(Protocol):
    """Keeps notices; one transaction a call."""

    async def keep(self, notices: Sequence[Notice]) -> list[SecurityEventFact]:
        """Store notices in order; a security event that is there already stays single.

        Returns:
            The security events that were new.

        Raises:
            DatabaseAway: Nothing was stored; try again later.
            BadFact: Some content is refused; nothing was stored.
        """
        ...

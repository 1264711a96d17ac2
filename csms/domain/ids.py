"""Names of things, as types of their own."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NewType

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

ChargePointKey = NewType("ChargePointKey", int)
"""Row key of a charge point; never leaves the server."""

Identity = NewType("Identity", str)
"""OCPP identity of a charge point: the last segment of its URL, decoded."""

REPLAY_PREFIX = "REPLAY-"
"""Of identities that recorded messages are played again under: what they tell has been before."""

ConnectorId = NewType("ConnectorId", int)
"""Connector number within its charge point; 0 is the charge point itself."""

TransactionId = NewType("TransactionId", int)
"""Number from one sequence, 1 to 2^31-1."""

SiteId = NewType("SiteId", str)


@lru_cache(maxsize=20_000)
def id_tag_key(id_tag: str) -> str:
    r"""Return the spelling under which an id tag is compared: OCPP 1.6 id tags have no case.

    Control characters are left out: some stations put them round a tag that they were told
    (Ocular/BS). Blanks count.

    >>> id_tag_key("04a2b3") == id_tag_key("04A2B3") == id_tag_key("\x1004A2B3")
    True
    """
    key = id_tag.upper()
    return key if key.isprintable() else _CONTROL.sub("", key)

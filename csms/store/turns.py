"""Turns of the rotation as the part of a decision's JSON document that the next one reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from csms.domain.power_tree import LoadId
from csms.domain.rotation import Turn


def turns_document(turns: Mapping[LoadId, Turn]) -> dict[str, Any]:
    """Return turns as JSON-ready data: inside, since, pauses."""
    return {
        load_id: [turn.inside, turn.since, list(turn.pauses)] for load_id, turn in turns.items()
    }


def read_turns(document: Mapping[str, Sequence[Any]] | None) -> dict[LoadId, Turn]:
    """Return the turns that a document says; none of a decision without them."""
    return {
        LoadId(load_id): Turn(
            inside=inside,
            since=datetime.fromisoformat(since),
            pauses=tuple(datetime.fromisoformat(pause) for pause in pauses),
        )
        for load_id, (inside, since, pauses) in (document or {}).items()
    }

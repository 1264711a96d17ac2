"""Turns of the rotation, and cars to wake, as the parts of a decision that the next one reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from csms.domain.ids import TransactionId
from csms.domain.pieces import Pieces, collected
from csms.domain.power_tree import LoadId
from csms.domain.rotation import Turn
from csms.domain.site_snapshot import Waking


def turns_document(turns: Mapping[LoadId, Turn]) -> Pieces[dict[str, Any]]:
    """Return turns as JSON-ready data, in pieces: inside, since, pauses."""
    found = yield from collected(
        (load_id, [turn.inside, turn.since, list(turn.pauses)]) for load_id, turn in turns.items()
    )
    return dict(found)


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


def waking_document(waking: Mapping[TransactionId, Waking]) -> dict[str, Any]:
    """Return cars to wake as JSON-ready data: paused, since, tried."""
    return {
        str(number): [state.paused, state.since, state.tried] for number, state in waking.items()
    }


def read_waking(document: Mapping[str, Sequence[Any]] | None) -> dict[TransactionId, Waking]:
    """Return the cars to wake that a document says; none of a decision without them."""
    return {
        TransactionId(int(number)): Waking(
            paused=paused,
            since=None if since is None else datetime.fromisoformat(since),
            tried=tried,
        )
        for number, (paused, since, tried) in (document or {}).items()
    }

"""The texts of one topic: what was told of it, and frames made once for all sockets."""

from __future__ import annotations

from typing import Any

import orjson

from csms.api.live_views import View, view
from csms.services.live import Topic, Update


def frame(topic: str, event: str, data: Any, **more: Any) -> bytes:
    """Return the content of one text frame."""
    return orjson.dumps({"topic": topic, "event": event, "data": data, **more})


class TopicTexts:
    """Knows what those who watch a topic know."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self._views: dict[str, View] = {}
        self._pieces: list[View] = []
        self._snapshot: bytes | None = None
        self._begun = False
        self.known = False

    def snapshot(self) -> bytes:
        """Return all that is known, for somebody who is new."""
        if self._snapshot is None:
            self._snapshot = frame(self._topic, "snapshot", list(self._views.values()))
        return self._snapshot

    def taken(self, update: Update) -> bytes | None:
        """Take an update; returns the frame for those who know the rest.

        None: nothing is new, or there is more to come. An object is told with the fields that
        have changed, and its id.
        """
        if update.whole and not self._begun:
            self._views = {}
        self._begun = update.more
        data = self._pieces
        for thing in update.changed:
            now = view(thing, self._views)
            key = now["id"]
            before = self._views.get(key)
            self._views[key] = now
            if before is None:
                data.append(now)
            elif before != now:
                changed = {k: v for k, v in now.items() if k == "id" or before.get(k, _NONE) != v}
                data.append(changed)
        self._snapshot = None
        if update.more:
            return None
        self._pieces = []
        removed = [key for key in update.removed if self._views.pop(key, None) is not None]
        self.known = True
        if not data and not removed and not update.whole:
            return None
        return frame(self._topic, "changed", data, removed=removed)

    def forget(self) -> None:
        """Nobody watches."""
        self._views, self._pieces = {}, []
        self._snapshot = None
        self._begun = self.known = False


_NONE = object()

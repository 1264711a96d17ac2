"""Frames that are compressed though nobody has agreed on it.

Stands in the place of an extension of the connection: costs nothing until the first such frame
comes, because whole plain texts never pass here. A frame that grows beyond the largest message ends
the connection with 1009, as any other.
"""

from __future__ import annotations

from collections.abc import Callable

from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame

_WINDOW_BITS = 15


class Inflation(Extension):
    """Inflates what comes with the mark of `permessage-deflate`; sends nothing compressed."""

    __slots__ = ("_deflate", "_noted")

    def __init__(self, noted: Callable[[], None]) -> None:
        """Start; `noted` is called before each message that had to be inflated."""
        self._noted = noted
        self._deflate: PerMessageDeflate | None = None

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """Return a frame as it was meant."""
        if frame.rsv1:
            self._noted()
            if self._deflate is None:
                self._deflate = PerMessageDeflate(False, True, _WINDOW_BITS, _WINDOW_BITS)
        return frame if self._deflate is None else self._deflate.decode(frame, max_size=max_size)

    def encode(self, frame: Frame) -> Frame:
        """Return a frame as it is."""
        return frame

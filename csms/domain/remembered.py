"""Objects made of something, kept while that stays the same.

A large site is looked at again and again and little has changed in between: making its thousands of
objects anew costs more than comparing what they are made of. Nothing is believed that was not read:
an object is only taken again for what equals that of which it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar

from csms.domain.pieces import AT_ONCE, Pieces, whole

T = TypeVar("T")


class Remembered(Generic[T]):
    """What was made the last time; what is gone is forgotten.

    Concurrency: calls follow each other.
    """

    def __init__(self) -> None:
        self._made: dict[Any, tuple[Any, T]] = {}

    def of(
        self, contents: Iterable[tuple[Hashable, Any]], make: Callable[[Any], T]
    ) -> tuple[T, ...]:
        """Return the objects of contents, in their order; equal ones are the same as before.

        Args:
            contents: Name and content of each; a name is there once.
            make: Makes an object of a content and of nothing else.
        """
        return whole(self.gathered(contents, make))

    def gathered(
        self, contents: Iterable[tuple[Hashable, Any]], make: Callable[[Any], T]
    ) -> Pieces[tuple[T, ...]]:
        """Return what `of` does, in pieces; what is remembered changes with the last one."""
        before, now = self._made, dict[Any, tuple[Any, T]]()
        for number, (name, content) in enumerate(contents):
            if not number % AT_ONCE:
                yield
            known = before.get(name)
            same = known is not None and known[0] == content
            now[name] = known if known is not None and same else (content, make(content))
        self._made = now
        return tuple(made for _, made in now.values())

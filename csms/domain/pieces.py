"""Long computations in pieces, so that who runs them can do other things in between.

A computation over thousands of sessions is a generator: it yields after every few of them and
returns its result at the end. It looks only at what it was given, so that whatever happens between
two pieces changes nothing of what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from functools import wraps
from itertools import islice
from typing import ParamSpec, TypeAlias, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
Pieces: TypeAlias = Generator[None, None, T]

AT_ONCE = 64
"""So many small things are one piece: well below a millisecond."""


def whole(pieces: Pieces[T]) -> T:
    """Return the result, all pieces at once."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            result: T = end.value
            return result


def in_one_go(computation: Callable[P, Pieces[T]]) -> Callable[P, T]:
    """Return the same computation without pieces, for who has nothing else to do meanwhile."""

    @wraps(computation)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return whole(computation(*args, **kwargs))

    return run


def collected(found: Iterable[T]) -> Pieces[list[T]]:
    """Return what an iterator brings, a few in each piece."""
    kept: list[T] = []
    source = iter(found)
    while some := list(islice(source, AT_ONCE)):
        kept += some
        yield
    return kept

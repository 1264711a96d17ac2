"""Which repairs are done."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from csms.errors import StartError
from csms.ocppj.repairs.catalogue import CATALOGUE


class Switches:
    """The repairs that are on in this process; a strict station gets none, whatever is on."""

    __slots__ = ("_on",)

    def __init__(self, *, off: Iterable[str] = (), on: Iterable[str] = ()) -> None:
        """Take what differs from the catalogue.

        Raises:
            StartError: There is no repair of such a name.
        """
        for name in (*off, *on):
            if name not in CATALOGUE:
                close = difflib.get_close_matches(name, CATALOGUE, n=1)
                hint = f"; did you mean {close[0]}?" if close else "."
                raise StartError(f"There is no repair called {name!r}{hint}")
        self._on = ({r.name for r in CATALOGUE.values() if r.on} | set(on)) - set(off)

    def __contains__(self, name: str) -> bool:
        """Return whether a repair is on."""
        return name in self._on

    def all_on(self, names: Iterable[str]) -> bool:
        """Return whether each of these is on."""
        return self._on.issuperset(names)

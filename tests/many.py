"""How many examples a property gets: the number named in `make test`, few in `make check`."""

from __future__ import annotations

from hypothesis import settings


def many(examples: int) -> settings:
    """Return the settings of a property; the profile `quick` has the last word."""
    quick = settings.get_profile("quick").max_examples
    fewest = quick if settings.default.max_examples == quick else examples
    return settings(max_examples=min(examples, fewest), deadline=None)

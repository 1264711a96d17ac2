"""Settings as an administrator may see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_SECRET_WORDS = ("token", "password", "passphrase")
_PREFIX = "CSMS_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    """One setting.

    Attributes:
        name: Of the environment variable.
        value: As it would stand there; None: nothing is set, or it is a secret.
        default: What holds where nothing is set, in the same way.
        is_set: Whether the environment sets it; else it is the default.
    """

    name: str
    value: str | None
    default: str | None
    is_set: bool
    is_secret: bool = False


def shown_settings(
    values: Mapping[str, object], given: Collection[str], defaults: Mapping[str, object]
) -> list[ShownSetting]:
    """Return settings by name, without secrets.

    Args:
        values: Name of the field -> value.
        given: Names of those that the environment sets.
        defaults: Name of the field -> what holds without that.
    """
    return [
        ShownSetting(
            name=f"{_PREFIX}{name.upper()}",
            value=None if _is_secret(name) else _text(value),
            default=None if _is_secret(name) else _text(defaults.get(name)),
            is_set=name in given,
            is_secret=_is_secret(name),
        )
        for name, value in sorted(values.items())
    ]


def _is_secret(name: str) -> bool:
    return any(word in name for word in _SECRET_WORDS)


def _text(value: object) -> str | None:
    """Return a value as the environment spells it; addresses without their credentials."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case (int() as first, *_, int() as last) if value == tuple(range(first, last + 1)):
            return f"{first}-{last}"  # of ports
        case tuple():
            return ",".join(str(one) for one in value)
        case str() if "://" in value:
            return _without_credentials(value)
        case _:
            return str(value)


def _without_credentials(url: str) -> str:
    """Return an address without password and query.

    >>> _without_credentials("postgresql://csms:secret@db:5432/csms?sslpassword=x")
    'postgresql://csms:***@db:5432/csms'
    """
    parts = urlsplit(url)
    place = parts.netloc
    if "@" in place:
        credentials, _, host = place.rpartition("@")
        user = credentials.partition(":")[0]
        place = f"{user}:***@{host}" if ":" in credentials else f"{user}@{host}"
    return parts._replace(netloc=place, query="", fragment="").geturl()

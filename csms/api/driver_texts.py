"""The texts of drivers' pages: a file a language, the same for the server and for the browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

FOLDER = Path(__file__).parent / "driver_languages"
LANGUAGES = ("en", "de", "fr", "es")
DEFAULT = LANGUAGES[0]

_MOST_ACCEPTED = 20


class Texts:
    """All texts of one language.

    Attributes:
        as_json: The whole file, as the browser gets it.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts: Mapping[str, str] = orjson.loads((FOLDER / f"{language}.json").read_bytes())
        self.as_json = orjson.dumps(self._texts).decode()

    def say(self, key: str, **values: object) -> str:
        """Return a text; ``{name}`` in it stands for a value."""
        text = self._texts[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text


def chosen(wanted: str | None, accepted: str | None) -> str:
    """Return the language of a page.

    Args:
        wanted: What the driver has chosen; a text that is no language counts as none.
        accepted: The browser's Accept-Language.

    >>> chosen(None, "pt-BR,pt;q=0.9,fr-CH;q=0.8,en;q=0.5"), chosen("de", "fr"), chosen("x", None)
    ('fr', 'de', 'en')
    """
    if wanted in LANGUAGES:
        return str(wanted)
    best, best_weight = DEFAULT, 0.0
    for part in (accepted or "").split(",")[:_MOST_ACCEPTED]:
        name, _, parameter = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(float(value), 1.0)
    except ValueError:
        return 0.0

"""The HTML of a driver's page: its first picture, its texts and its state, in one answer.

So a phone on a slow line shows what matters before any script has come. The template is
`csms/web/driver.html` as the build leaves it; its script and style have names of their own there.
"""

from __future__ import annotations

import html
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from csms.api.driver_texts import LANGUAGES, Texts

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'"
)

# while the UI is not built: the first picture alone
_PLAIN = """<!doctype html>
<html lang="{{language}}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{{title}}</title>
  </head>
  <body>
    <div id="page">{{page}}</div>
    <p>{{notBuilt}}</p>
  </body>
</html>
"""
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
_COMMA = frozenset({"de", "fr", "es"})
_LEAST_DECIMALS = 2


class Template:
    """The page around the content; read anew when another build has taken its place."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read: tuple[tuple[int, int], str] | None = None

    def text(self) -> str:
        """Return the template; a plain one where there is no build. Reads a file."""
        if self._path is None:
            return _PLAIN
        try:
            found = self._path.stat()
            version = (found.st_mtime_ns, found.st_ino)
            if self._read is None or self._read[0] != version:
                self._read = (version, self._path.read_text(encoding="utf-8"))
        except OSError:
            return _PLAIN
        return self._read[1]

    def filled(self, texts: Texts, *, title: str, page: str, view: dict[str, Any] | None) -> str:
        """Return the page; `title` is plain text, `page` is HTML."""
        values = {
            "language": texts.language,
            "title": html.escape(title),
            "page": page,
            "noScript": html.escape(texts.say("page.noScript")),
            "notBuilt": html.escape(texts.say("page.notBuilt.text")),
            "texts": _in_script(texts.as_json),
            "view": _in_script(orjson.dumps(view).decode()),
        }
        parts = self.text().split("{{")
        filled = [parts[0]]
        for part in parts[1:]:  # once only: what is put in is never looked at again
            name, _, rest = part.partition("}}")
            filled += [values[name], rest]
        return "".join(filled)


def page_of(texts: Texts, view: dict[str, Any]) -> tuple[str, str]:
    """Return title (plain) and first picture (HTML) of a connector's page."""
    place = view["place"]
    name = place["name"]
    headline, sentence = (texts.say(key) for key in view["say"])
    connector = texts.say("page.connector", number=place["connectorId"])
    price = view["price"]
    told = (
        texts.say("price.free")
        if price["perKwh"] == 0
        else texts.say("price.perKwh", price=_money(price, texts.language))
    )
    content = (
        f'<section class="card state" data-state="{view["state"]}">'
        f"<h2>{html.escape(headline)}</h2><p>{html.escape(sentence)}</p></section>"
        f'<p class="price">{html.escape(told)}</p>'
    )
    return texts.say("page.title", place=name), _page(
        texts, name, content, above=connector, below=place["site"]
    )


def notice_of(texts: Texts, key: str) -> tuple[str, str]:
    """Return title and content of a page that only says something."""
    headline, sentence = texts.say(key), texts.say(f"{key}.text")
    content = f'<section class="card state"><p>{html.escape(sentence)}</p></section>'
    return headline, _page(texts, headline, content)


def _page(
    texts: Texts, headline: str, content: str, *, above: str = "", below: str | None = None
) -> str:
    site = "" if below is None else f'<p class="site">{html.escape(below)}</p>'
    links = "".join(_link(language, language == texts.language) for language in LANGUAGES)
    choose = html.escape(texts.say("language.choose"), quote=True)
    return (
        f'<header><nav aria-label="{choose}">{links}</nav>'
        f'<p class="where">{html.escape(above)}</p><h1>{html.escape(headline)}</h1>{site}</header>'
        f"<main>{content}</main>"
    )


def _link(language: str, current: bool) -> str:
    mark = ' aria-current="true"' if current else ""
    return (
        f'<a href="?lang={language}" lang="{language}" hreflang="{language}"{mark}>'
        f"{language.upper()}</a>"
    )


def _money(price: dict[str, Any], language: str) -> str:
    amount = Decimal(str(price["perKwh"])).normalize()
    decimals = max(_LEAST_DECIMALS, -int(amount.as_tuple().exponent))
    text = f"{amount:.{decimals}f}"
    symbol = _SYMBOLS.get(price["currency"])
    if language not in _COMMA and symbol is not None:
        return f"{symbol}{text}"
    text = text.replace(".", ",") if language in _COMMA else text
    return f"{text}\u00a0{symbol or price['currency']}"


def _in_script(text: str) -> str:
    """Return JSON that ends no script element and starts no comment in one."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")

"""Texts of drivers' pages: each language has each text, and each word of ours has a text."""

from __future__ import annotations

import json
import re

import pytest

from csms.api.driver_page import Template, notice_of, page_of
from csms.api.driver_texts import FOLDER, LANGUAGES, Texts, chosen
from csms.api.driver_view import FAULTS, REASONS
from csms.domain.driver_page import ConnectorState, Obstacle

ENGLISH = json.loads((FOLDER / "en.json").read_text())
VIEW = {
    "place": {"name": "<Bay>", "connectorId": 2, "site": "A & B"},
    "say": ["state.free", "state.free.text"],
    "state": "free",
    "price": {"perKwh": 0.3, "currency": "EUR"},
}


def names(text):
    return sorted(re.findall(r"{(\w+)}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_each_text(language):
    texts = json.loads((FOLDER / f"{language}.json").read_text())
    assert list(texts) == list(ENGLISH)
    for key, text in texts.items():
        assert text.strip(), key
        assert names(text) == names(ENGLISH[key]), key
        if language != "en" and len(text) > 20:
            assert text != ENGLISH[key], key


def test_each_word_of_ours_has_its_texts():
    keys = [f"state.{state.value}{end}" for state in ConnectorState for end in ("", ".text")]
    keys += [f"error.{why.value}" for why in Obstacle]
    keys += [f"fault.{code}" for code in FAULTS]
    keys += [f"reason.{reason}" for reason in REASONS]
    keys += [f"problem.{word}" for word in ("rejected", "offline", "noAnswer", "noStart")]
    keys += [f"problem.stop{word}" for word in ("Rejected", "Offline", "NoAnswer")]
    assert [key for key in (*keys, "problem.notStopped") if key not in ENGLISH] == []


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        (None, None, "en"),
        (None, "it,ja;q=0.8", "en"),
        (None, "it,es;q=0.3,de;q=0.7", "de"),
        (None, "FR-ca", "fr"),
        ("es", "de", "es"),
        ("xx", "de", "de"),
        (None, "de;q=0,fr;q=0.1", "fr"),
        (None, "de;q=odd,fr;q=0.1", "fr"),
        (None, ",;q=,," * 100, "en"),
    ],
)
def test_the_language_of_a_page(wanted, accepted, language):
    assert chosen(wanted, accepted) == language


def test_the_first_picture():
    title, page = page_of(Texts("de"), VIEW)
    assert title == "Laden an <Bay>"
    assert "&lt;Bay&gt;" in page
    assert "A &amp; B" in page
    assert "Anschluss 2" in page
    assert "0,30\u00a0€ pro kWh" in page
    finer = {**VIEW, "price": {"perKwh": 0.2999, "currency": "EUR"}}
    assert "€0.2999 per kWh" in page_of(Texts("en"), finer)[1]
    swiss = {**VIEW, "price": {"perKwh": 0.3, "currency": "CHF"}}
    assert "0.30\u00a0CHF per kWh" in page_of(Texts("en"), swiss)[1]
    free = {**VIEW, "price": {"perKwh": 0.0, "currency": "EUR"}}
    assert "Free of charge" in page_of(Texts("en"), free)[1]
    assert "Zu viele Anfragen" in notice_of(Texts("de"), "page.busy")[1]


def test_what_is_put_into_the_page_stays_what_it_is(tmp_path):
    path = tmp_path / "driver.html"
    path.write_text("<title>{{title}}</title>{{page}}<script>{{view}}</script>")
    template = Template(path)
    view = {"name": "</script><!--{{title}}"}
    filled = template.filled(Texts("en"), title="{{page}} <x>", page="<p>", view=view)
    assert filled == (
        "<title>{{page}} &lt;x&gt;</title><p>"
        '<script>{"name":"\\u003c/script>\\u003c!--{{title}}"}</script>'
    )
    path.write_text("another build {{title}}")
    assert template.filled(Texts("en"), title="T", page="", view=None) == "another build T"
    path.unlink()
    assert "not installed" in template.filled(Texts("en"), title="T", page="", view=None)

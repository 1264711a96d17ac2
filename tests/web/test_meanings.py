"""The cockpit says of every setting what it means."""

from __future__ import annotations

import re

from csms.settings import Settings
from csms.web.build import FOLDER


def test_every_setting_has_a_meaning_and_none_is_of_the_past():
    text = (FOLDER / "src" / "pages" / "settings" / "meanings.ts").read_text()
    told = set(re.findall(r"^ +(CSMS_[A-Z0-9_]+):", text, re.MULTILINE))
    assert told == {f"CSMS_{name.upper()}" for name in Settings.model_fields}

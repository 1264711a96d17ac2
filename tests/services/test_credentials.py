"""Passwords and tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.errors import Invalid
from csms.services import credentials

SECRET = b"k" * 32
passwords = st.binary(min_size=16, max_size=20)


@given(passwords, st.booleans())
def test_bytes_and_their_hex_text_in_either_case_match(password, upper):
    stored = credentials.digest(SECRET, password)
    text = password.hex().upper() if upper else password.hex()
    assert credentials.parse_password(text) == password
    assert credentials.matches(stored, password, SECRET)
    assert credentials.matches(stored, text.encode(), SECRET)


@given(passwords, passwords)
def test_another_password_or_secret_does_not_match(password, other):
    stored = credentials.digest(SECRET, password)
    assert credentials.matches(stored, other, SECRET) is (password == other)
    assert not credentials.matches(stored, password, b"another secret of 32 characters.")
    assert not credentials.matches(stored, b"", SECRET)


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("sixteen letters!", b"sixteen letters!"),
        ("0" * 33, b"0" * 33),  # hex has whole bytes
        ("0" * 42, b"0" * 42),  # more than 20 bytes of hex is a text
        ("g" * 32, b"g" * 32),
        ("pässword of 16", None),
        ("passwörd of 15!", "passwörd of 15!".encode()),
        ("0" * 15, None),
        ("x" * 129, None),
    ],
)
def test_what_a_text_means(text, password):
    if password is None:
        with pytest.raises(Invalid) as refused:
            credentials.parse_password(text)
        assert "password" in refused.value.fields
    else:
        assert credentials.parse_password(text) == password


def test_a_text_password_is_also_known_by_its_hex():
    stored = credentials.digest(SECRET, b"sixteen letters!")
    assert credentials.matches(stored, b"sixteen letters!".hex().encode(), SECRET)


def test_purposes_do_not_mix():
    assert credentials.digest(SECRET, b"x") != credentials.token_digest(SECRET, "x")
    assert credentials.new_token() != credentials.new_token()
    assert credentials.new_token().startswith(credentials.TOKEN_PREFIX)


@given(st.text(max_size=300))
def test_the_tag_of_a_user_is_short_and_stable(name):
    tag = credentials.tag_of_user(SECRET, name.encode("utf-8", "replace").decode())
    assert len(tag) == 20
    assert set(tag) <= set("0123456789ABCDEF")

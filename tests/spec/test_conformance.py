"""The table of conformance is the one that the tests make."""

from __future__ import annotations

import pytest

from tests.spec import conformance
from tests.spec.conformance import DOCUMENT, NAMED, Playbook, _rules, document

_STALE = "docs/conformance.md is stale: run python -m tests.spec.conformance"


@pytest.fixture(scope="module")
def found():
    return conformance.tests()


def test_the_table_is_fresh(found):
    assert DOCUMENT.read_text("utf-8") == document(found, {}), _STALE


def test_every_named_case_has_a_playbook(found):
    played = {each.case[0] for each in found if each.case is not None}
    assert not set(NAMED) - played


def test_a_case_has_one_title(found):
    titles = {}
    for each in found:
        if each.case is not None:
            case, *rest = each.case
            assert titles.setdefault(case, rest) == rest


def test_results_and_missing_playbooks_are_shown():
    tests = [
        Playbook(file="tests/spec/test_a.py", name="test_x", case=("TC_003", "3.2", "T"), rules=()),
        Playbook(file="tests/spec/test_a.py", name="test_m01_y", case=None, rules=("M01",)),
    ]
    text = document(tests, {("tests/spec/test_a.py", "test_m01_y"): "fails"})
    assert "| TC_003 | 3.2 | T | passes | [x](../tests/spec/test_a.py) |" in text
    assert "| M01 | fails | [m01_y](../tests/spec/test_a.py) |" in text
    assert "| TC_001 | | | no playbook | |" in text


def test_rules_stand_at_the_beginning_of_names():
    assert _rules("test_n01_cancels") == ("N01",)
    assert _rules("test_r11_to_r14_codes") == ("R11", "R12", "R13", "R14")
    assert _rules("test_m03_r17_pending") == ("M03", "R17")
    assert _rules("test_plain") == _rules("test_reset_m03_") == ()

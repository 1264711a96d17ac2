"""Writes docs/conformance.md: the certification cases and protocol rules, and the tests of each.

``python -m tests.spec.conformance`` plays them all and writes the table with their results; a test
sees when it is stale.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "conformance.md"
_PLAYBOOKS = "tests/spec"
_RULES = re.compile(r"test_((?:[hmnqra]\d{1,2}_(?:to_)?)+)")
_GROUPS = {
    "h": "Handshake",
    "r": "Messages as such",
    "m": "From the station",
    "n": "To the station",
    "a": "Attacks",
    "q": "Certification tool",
}
PASSES = "passes"

_NUMBERS = (
    "001 003 004_1 004_2 005_1 007 061 010 011_1 011_2 012 013 014 017_1 017_2 018_1 019_1 019_2 "
    "021 023_1 023_2 023_3 024 026 028 030 031 032_1 037_1 037_3 039 040_1 040_2 042_1 042_2 043_1 "
    "043_3 043_4 043_5 044_1 044_2 044_3 045_1 045_2 046 047 048_1 048_2 048_3 048_4 049 051 052 "
    "053 054 055 056 057 059 066 067 064 073 074 075_1 075_2 076 077 078 079 080 081 083 085 086 "
    "087 088"
)
NAMED = tuple(f"TC_{number}" for number in _NUMBERS.split(" "))
"""All 77 certification cases of a central system, by chapter (edition 2026-02)."""

_HEAD = """\
# Conformance

Made by `python -m tests.spec.conformance`, which plays every test named here; do not edit. A
playbook is a charge point on a real socket and an operator at the real API, before one csms on
Postgres. It fails on anything that the case does not name, and checks each payload against the
schemas of another implementation.

## Certification cases of a central system

All 77 of chapter 3 of the Open Charge Alliance's test case document (editions 2025-11 and 2026-02);
there is none that could not be identified.

| case | chapter | title | result | playbook |
|---|---|---|---|---|
"""
_RULES_HEAD = """
## Rules of the protocol

Beyond the cases: what the specification, its errata and the security white paper demand, by the
numbers that playbooks carry in their names (further tests of rules: `tests/ocppj`).

| rule | result | tests |
|---|---|---|
"""


@dataclass(frozen=True)
class Playbook:
    """A test of a case or a rule.

    Attributes:
        case: Of its `octt` mark: case, chapter, title.
        rules: That its name begins with.
    """

    file: str
    name: str
    case: tuple[str, str, str] | None
    rules: tuple[str, ...]


def tests() -> list[Playbook]:
    """Return all tests that name a case or a rule, in the order of files and lines."""
    found = []
    for path in sorted((ROOT / _PLAYBOOKS).glob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                case, rules = _case(node), _rules(node.name)
                if case is not None or rules:
                    found.append(Playbook(file=file, name=node.name, case=case, rules=rules))
    return found


def _case(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, str, str] | None:
    """Return what the `octt` mark of a test says."""
    for mark in function.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("octt"):
            case, chapter, title = (ast.literal_eval(argument) for argument in mark.args)
            return case, chapter, title
    return None


def _rules(name: str) -> tuple[str, ...]:
    """Return the rules that a test's name begins with.

    >>> _rules("test_n01_cancels"), _rules("test_r11_to_r13_codes"), _rules("test_m03_r17_pending")
    (('N01',), ('R11', 'R12', 'R13'), ('M03', 'R17'))
    """
    begins = _RULES.match(name)
    words = [] if begins is None else begins[1].upper().strip("_").split("_")
    found: list[str] = []
    for place, word in enumerate(words):
        if word == "TO":
            letter, first, last = words[place - 1][0], words[place - 1][1:], words[place + 1][1:]
            found += [f"{letter}{number:02}" for number in range(int(first) + 1, int(last))]
        else:
            found.append(word)
    return tuple(found)


def document(found: list[Playbook], failed: Mapping[tuple[str, str], str]) -> str:
    """Return the document.

    Args:
        found: All tests.
        failed: File and name -> what became of a test that did not pass.
    """

    def result(group: list[Playbook]) -> str:
        bad = {failed[each.file, each.name] for each in group if (each.file, each.name) in failed}
        return ", ".join(sorted(bad)) or PASSES

    def links(group: list[Playbook]) -> str:
        names = dict.fromkeys((each.name, each.file) for each in group)
        return ", ".join(f"[{name.removeprefix('test_')}](../{file})" for name, file in names)

    cases: dict[str, list[Playbook]] = defaultdict(list)
    rules: dict[str, list[Playbook]] = defaultdict(list)
    for each in found:
        if each.case is not None:
            cases[each.case[0]].append(each)
        for rule in each.rules:
            rules[rule].append(each)
    text = _HEAD
    for case in sorted(cases, key=_order):
        group = cases[case]
        _, chapter, title = group[0].case or ("", "", "")
        text += f"| {case} | {chapter} | {title} | {result(group)} | {links(group)} |\n"
    for case in NAMED:
        if case not in cases:
            text += f"| {case} | | | no playbook | |\n"
    text += _RULES_HEAD
    for letter, group_name in _GROUPS.items():
        numbers = sorted(rule for rule in rules if rule[0] == letter.upper())
        if numbers:
            text += f"| **{group_name}** | | |\n"
        for rule in numbers:
            text += f"| {rule} | {result(rules[rule])} | {links(rules[rule])} |\n"
    return text


def _order(case: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", case))


class _Results:
    """Notes which tests do not pass."""

    def __init__(self) -> None:
        self.failed: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file, _, name = report.nodeid.partition("::")
        key = file, name.rpartition("::")[2].partition("[")[0]
        if report.failed:
            self.failed[key] = "fails"
        elif report.skipped and key not in self.failed:
            self.failed[key] = "not yet" if hasattr(report, "wasxfail") else "not played"


def main() -> int:
    """Play everything and write the document; returns the exit code of the tests."""
    found = tests()
    results = _Results()
    files = sorted({each.file for each in found})
    code = pytest.main(["-q", "-n0", "--no-header", "--tb=short", *files], plugins=[results])
    DOCUMENT.write_text(document(found, results.failed), encoding="utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())

"""The examples in the simulator's docstrings and in its documentation are true."""

import asyncio
import doctest
import importlib
import pkgutil
import re
import textwrap
from pathlib import Path

import pytest

import simulator

NAMES = sorted(
    one.name
    for one in pkgutil.walk_packages(simulator.__path__, "simulator.")
    if not one.name.endswith("__main__")
)
WITH_EXAMPLES = [
    name
    for name in NAMES
    if any(one.examples for one in doctest.DocTestFinder().find(importlib.import_module(name)))
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str):
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0
    assert failed == 0


def test_there_are_examples_in_many_modules():
    assert len(WITH_EXAMPLES) >= 15


async def test_the_documented_way_from_python(central):
    text = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    (described,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    source = described.replace("ws://127.0.0.1:9000/ocpp", central.url)
    named: dict = {}
    exec("async def play():\n" + textwrap.indent(source, "    "), named)  # noqa: S102  our own
    async with asyncio.timeout(10):
        await named["play"]()
    assert len(central.of("StartTransaction")) == 1

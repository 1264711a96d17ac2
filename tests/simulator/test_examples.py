"""The examples in the simulator's docstrings are true."""

import doctest
from types import ModuleType

import pytest

from simulator import clock, supply, vehicle


@pytest.mark.parametrize("module", [clock, supply, vehicle], ids=lambda one: one.__name__)
def test_examples(module: ModuleType):
    failed, tried = doctest.testmod(module)
    assert tried > 0
    assert failed == 0

"""Dialects: matching, the order of what is known, what a configuration says."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.charging_profiles import ProfileKind, RateUnit
from csms.domain.dialects import (
    Device,
    Dialect,
    Origin,
    Pattern,
    effective,
    matching,
    read_traits,
    reported_traits,
    written_traits,
)
from csms.services.dialect_book import built_in

_texts = st.text("ab ", max_size=6)


def dialect(name, origin=Origin.BUILT_IN, *, traits=None, **pattern):
    return Dialect(
        id=name,
        pattern=Pattern(**pattern),
        traits=read_traits(traits or {"max_stack_level": 1}),
        origin=origin,
        source=f"source of {name}",
    )


def of(dialects, device, **more):
    return effective(matching(dialects, device), **more)


@pytest.mark.parametrize(
    ("pattern", "device", "fits"),
    [
        ({"vendor": "abb*"}, {"vendor": "ABB Terra"}, True),
        ({"vendor": "abb"}, {"vendor": "ABB Terra"}, False),
        ({"vendor": "Wall*Box*"}, {"vendor": "Wall Box Chargers"}, True),
        ({"vendor": "Wall*Box*"}, {"vendor": "wallbox"}, True),
        ({"model": "*SCharger*"}, {"vendor": "", "model": "Huawei SCharger-22KT"}, True),
        ({"vendor": "x", "firmware": "5.*"}, {"vendor": "X", "firmware": "15.2"}, False),
        ({"vendor": "x", "firmware": "5.*"}, {"vendor": "X", "firmware": "5.17"}, True),
        ({"vendor": "x"}, {}, False),  # never booted
        ({}, {}, True),
    ],
)
def test_a_pattern_names_charge_points(pattern, device, fits):
    assert Pattern(**pattern).matches(Device(**device)) is fits


@given(st.text("ab*", max_size=6), _texts)
def test_a_star_stands_for_any_text(pattern, value):
    fits = Pattern(vendor=pattern).matches(Device(vendor=value))
    assert fits is fnmatchcase(value.strip(), pattern)


def test_many_stars_cost_no_time():
    assert not Pattern(vendor="a*" * 5000 + "b").matches(Device(vendor="a" * 20_000))


def test_the_narrower_pattern_wins_and_each_value_names_its_origin():
    holds = of(
        [
            dialect("firmware", vendor="V*", firmware="5.*", traits={"max_stack_level": 0}),
            dialect("vendor", vendor="V*", traits={"max_stack_level": 7, "rate_units": ["W"]}),
            dialect("model", vendor="V*", model="M*", traits={"max_stack_level": 3}),
            dialect("other", vendor="W*", traits={"max_stack_level": 9}),
        ],
        Device(vendor="V", model="M1", firmware="5.1"),
    )
    assert (holds.traits.max_stack_level, holds.traits.rate_units) == (0, (RateUnit.WATTS,))
    assert holds.matched == ("vendor", "model", "firmware")
    assert holds.given["max_stack_level"].dialect_id == "firmware"
    assert holds.given["rate_units"].source == "source of vendor"


def test_the_more_certain_wins_over_the_narrower():
    level = "max_stack_level"
    layers = {
        "reported": read_traits({level: 1}),
        "learned": read_traits({level: 3}),
        "own": read_traits({level: 5}),
    }
    dialects = [
        dialect("b", model="M", traits={level: 2}),
        dialect("o", Origin.OPERATOR, vendor="V*", traits={level: 4}),
    ]
    device = Device(vendor="V", model="M")
    order = []
    for take_out in (None, "own", "o", "learned", "b", "reported"):
        layers.pop(take_out, None)
        dialects = [each for each in dialects if each.id != take_out]
        holds = of(dialects, device, **layers)
        given = holds.given.get(level)
        order.append((holds.traits.max_stack_level, None if given is None else given.origin))
    assert order == [
        (5, Origin.STATION),
        (4, Origin.OPERATOR),
        (3, Origin.LEARNED),
        (2, Origin.BUILT_IN),
        (1, Origin.REPORTED),
        (None, None),
    ]


def test_false_and_zero_are_known_and_override():
    holds = of(
        [dialect("b", vendor="*", traits={"remote_start_needed": True, "call_spacing_s": 30})],
        Device(vendor=""),
        own=read_traits({"remote_start_needed": False, "call_spacing_s": 0}),
    )
    assert holds.traits.remote_start_needed is False
    assert holds.traits.call_spacing_s == 0


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "rate_units": st.lists(st.sampled_from(["A", "W"]), min_size=1, max_size=2),
            "profile_kinds": st.lists(st.sampled_from(list(ProfileKind)), min_size=1),
            "allowed_a": st.lists(st.integers(1, 640).map(lambda n: n / 10), min_size=1),
            "call_spacing_s": st.integers(0, 3600),
            "max_stack_level": st.integers(0, 9),
            "zero_means_stop": st.booleans(),
        },
    )
)
def test_traits_survive_being_written(values):
    traits = read_traits(values)
    assert read_traits(written_traits(traits)) == traits


@pytest.mark.parametrize("values", [{"colour": 1}, {"rate_units": ["V"]}, {"profile_kinds": ["X"]}])
def test_traits_that_do_not_exist_are_refused(values):
    with pytest.raises((TypeError, ValueError)):
        read_traits(values)


@pytest.mark.parametrize(
    ("said", "units"),
    [
        ("Current,Power", (RateUnit.AMPERES, RateUnit.WATTS)),
        ("power", (RateUnit.WATTS,)),
        ("W", (RateUnit.WATTS,)),
        (" 'A' ", (RateUnit.AMPERES,)),
        ("", None),
        ("Volt", None),
    ],
)
def test_units_are_read_from_the_configuration(said, units):
    assert reported_traits({"chargingscheduleallowedchargingrateunit": said}).rate_units == units


@pytest.mark.parametrize("said", ["", "-1", "x", "1.5", "9" * 40, "٣"])
def test_numbers_that_are_none_say_nothing(said):
    assert reported_traits({"chargeprofilemaxstacklevel": said}).max_stack_level is None


def test_the_built_in_list_is_sound():
    found = built_in()
    assert len({each.id for each in found}) == len(found) > 8
    for each in found:
        assert each.source, each.id
        assert each.traits.known(), each.id
        assert each.pattern != Pattern(), each.id


def test_well_known_charge_points_are_known():
    def known(**device):
        return of(built_in(), Device(**device)).traits

    assert known(vendor="Easee", model="Home").call_spacing_s == 30
    assert known(vendor="", model="SCharger-22KT-S0").rate_units == (RateUnit.WATTS,)
    assert known(vendor="NEcharge").allowed_a == tuple(map(Decimal, (6, 8, 10, 13, 16)))
    old, new = (known(vendor="Wall Box Chargers", firmware=f) for f in ("5.17.4", "6.1.2"))
    assert (old.max_stack_level, new.max_stack_level) == (0, None)
    assert old.profile_kinds == new.profile_kinds == (ProfileKind.RELATIVE,)
    assert known(vendor="Acme") == read_traits({})

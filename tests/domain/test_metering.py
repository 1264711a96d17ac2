from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.metering import read

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def sample(value, **fields):
    return {"value": value, **fields}


def test_a_bare_value_is_the_energy_register_in_wh():
    assert read(AT, [sample("1234")]).energy_wh == 1234


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"value": "12.345", "unit": "kWh"}, "energy_wh", 12_345),
        ({"value": " 7400 ", "measurand": "Power.Active.Import"}, "power_w", 7400),
        ({"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"}, "power_w", 7400),
        ({"value": "11", "measurand": "Power.Offered", "unit": "kW"}, "offered_w", 11_000),
        ({"value": "45.6", "measurand": "SoC", "unit": "Percent"}, "soc_permille", 456),
        (
            {"value": "16.05", "measurand": "Current.Import", "phase": "L2"},
            "current_ma",
            [None, 16_050, None],
        ),
        (
            {"value": "229.9", "measurand": "Voltage", "phase": "L1-N", "unit": "V"},
            "voltage_mv",
            [229_900, None, None],
        ),
    ],
)
def test_usual_measurands_become_numbers_in_fixed_units(fields, name, expected):
    reading = read(AT, [fields])
    assert getattr(reading, name) == expected
    assert reading.rest is None


@pytest.mark.parametrize(
    "fields",
    [
        {"value": "NaN"},
        {"value": "1e999"},
        {"value": "abc"},
        {"value": ""},
        {"value": "9" * 30},
        {"value": "1", "unit": "Celcius"},
        {"value": "230", "measurand": "Voltage", "phase": "L1-L2"},
        {"value": "50", "measurand": "Frequency"},
        {"value": "0A0B", "format": "SignedData"},
        {"value": "1", "location": "Roof"},
        {"value": "-3", "measurand": "SoC"},
        {"value": "1001", "measurand": "SoC"},
        {"value": "5", "measurand": "Energy.Active.Export.Register"},
    ],
)
def test_what_is_no_usable_number_is_kept_as_sent(fields):
    reading = read(AT, [fields])
    assert reading.rest == [fields]
    assert reading.energy_wh is None
    assert reading.soc_permille is None


def test_power_by_phase_is_summed_unless_the_total_is_sent_too():
    phases = [
        sample(str(w), measurand="Power.Active.Import", phase=f"L{i + 1}")
        for i, w in enumerate((1000, 2000, 3000))
    ]
    assert read(AT, phases).power_w == 6000
    assert read(AT, [*phases, sample("6100", measurand="Power.Active.Import")]).power_w == 6100


def test_energy_by_phase_is_summed_only_when_all_phases_are_there():
    phases = [sample("10", phase=f"L{i}") for i in (1, 2, 3)]
    assert read(AT, phases).energy_wh == 30
    assert read(AT, phases[:2]).energy_wh is None


def test_the_context_is_that_of_the_first_value_that_has_one():
    reading = read(AT, [sample("1"), sample("2", unit="kW", context="Trigger")])
    assert reading.context == "Trigger"


def at_place(place, value, measurand, **more):
    return {"value": value, "measurand": measurand, "location": place, **more}


def test_what_is_told_of_another_place_alone_is_taken():
    power = at_place("Inlet", "6407.0", "Power.Active.Import", unit="W")
    energy = at_place("Outlet", "18938.08", "Energy.Active.Import.Register", unit="kWh")
    reading = read(AT, [power, energy])
    assert (reading.power_w, reading.energy_wh) == (6407, 18_938_080)
    assert (reading.rest, reading.odd) == ([power], False)
    nearest = [at_place(each, str(n), None) for n, each in enumerate(("Inlet", "Body", "Cable"))]
    for sample_ in nearest:
        del sample_["measurand"]
    assert read(AT, nearest).energy_wh == 2


def test_what_the_outlet_tells_counts_whatever_other_places_say():
    inlet = [at_place("Inlet", str(n), "Current.Import", phase=f"L{n}") for n in (1, 2, 3)]
    direct = at_place("Outlet", "125", "Current.Import")
    for order in ([*inlet, direct], [direct, *inlet]):
        assert read(AT, order).current_ma == [125_000, None, None]
    assert read(AT, inlet).current_ma == [1000, 2000, 3000]
    phases = [
        sample(str(w), measurand="Power.Active.Import", phase=f"L{i + 1}")
        for i, w in enumerate((1000, 2000, 3000))
    ]
    total = at_place("Inlet", "7000", "Power.Active.Import")
    assert read(AT, [total, *phases]).power_w == 6000
    by_phase = [{**each, "location": "Inlet"} for each in phases]
    assert read(AT, by_phase).power_w == 6000
    assert read(AT, [*by_phase, sample("9", measurand="Power.Active.Import")]).power_w == 9


def test_begin_and_end_in_one_element_tell_of_the_end():
    begin = sample("1000", context="Transaction.Begin")
    end = sample("6000", context="Transaction.End")
    for order in ([begin, end], [end, begin]):
        reading = read(AT, order)
        assert (reading.energy_wh, reading.context) == (6000, "Transaction.End")


@given(
    st.lists(
        st.fixed_dictionaries(
            {"value": st.text(max_size=12)},
            optional={
                "measurand": st.text(max_size=12),
                "unit": st.text(max_size=4),
                "phase": st.text(max_size=5),
                "format": st.sampled_from(["Raw", "SignedData"]),
            },
        ),
        max_size=5,
    )
)
def test_nothing_is_refused_and_nothing_is_lost(samples):
    reading = read(AT, samples)
    taken = [
        reading.energy_wh,
        reading.power_w,
        reading.offered_w,
        reading.soc_permille,
        *reading.current_ma,
        *reading.voltage_mv,
    ]
    assert len(reading.rest or []) + len(samples) >= sum(value is not None for value in taken)
    assert all(s in samples for s in reading.rest or [])

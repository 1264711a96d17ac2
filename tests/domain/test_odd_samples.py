"""Samples that say something usual in an unusual way, and those that do not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.metering import read
from csms.domain.odd_samples import usual

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENERGY = "Energy.Active.Import.Register"


@pytest.mark.parametrize(
    ("sample", "field", "value"),
    [
        ({"value": "7.5", "measurand": ENERGY, "unit": "kW"}, "energy_wh", 7500),  # Injet
        ({"value": "7500", "measurand": ENERGY, "unit": "W"}, "energy_wh", 7500),
        ({"value": "7.5", "unit": "KWH"}, "energy_wh", 7500),
        ({"value": "7,5", "unit": "kWh"}, "energy_wh", 7500),
        ({"value": "7.5 kWh"}, "energy_wh", 7500),
        ({"value": "7.5 kWh", "unit": "Wh"}, "energy_wh", 7500),  # the field has its default
        ({"value": "1,234.5"}, "energy_wh", 1234),
        ({"value": "1.234,5"}, "energy_wh", 1234),
        ({"value": "1 234 567"}, "energy_wh", 1_234_567),
        ({"value": "1'234.6 Wh"}, "energy_wh", 1235),
        ({"value": "1,234", "unit": "kWh"}, "energy_wh", 1234),
        ({"value": "0.0075", "unit": "MWh"}, "energy_wh", 7500),
        ({"value": "7500", "measurand": "Request.Energy"}, "energy_wh", 7500),
        ({"value": "7500", "measurand": "Energy"}, "energy_wh", 7500),
        ({"value": "11", "measurand": "Power.Active.Import", "unit": "kWh"}, "power_w", 11_000),
        ({"value": "11000", "measurand": "Power.Active.Import", "unit": "Watts"}, "power_w", 11000),
        ({"value": "11", "measurand": "power", "unit": "kw"}, "power_w", 11_000),
        (
            {"value": "11", "measurand": "Power.Active.Import", "unit": "kW", "phase": "L1-L2-L3"},
            "power_w",
            11_000,
        ),
        ({"value": "55", "measurand": "SOC", "unit": "%"}, "soc_permille", 550),
        ({"value": "55%", "measurand": "SoC"}, "soc_permille", 550),
        ({"value": "16", "measurand": "Current.Import.L1"}, "current_ma", [16000, None, None]),
        (
            {"value": "16000", "measurand": "Current.Import", "unit": "mA", "phase": "l2"},
            "current_ma",
            [None, 16000, None],
        ),
        (
            {"value": "230.1", "measurand": "Voltage", "unit": "Volts", "phase": "3"},
            "voltage_mv",
            [None, None, 230_100],
        ),
    ],
)
def test_what_odd_samples_mean_and_that_they_are_kept(sample, field, value):
    reading = read(NOON, [sample])
    assert getattr(reading, field) == value
    assert reading.odd
    assert reading.rest == [sample]


@pytest.mark.parametrize(
    "sample",
    [
        {"value": "50", "measurand": "Frequency", "unit": "Hertz"},
        {"value": "20", "measurand": "Temperature", "unit": "Celsius"},
        {"value": "400", "measurand": "Voltage", "unit": "V", "phase": "L1-L2"},
        {"value": "1", "measurand": "Whatever"},
        {"value": "NaN"},
        {"value": "1e999"},
        {"value": ""},
        {"value": "7", "unit": "Celsius"},
        {"value": "1 23 456"},
        {"value": "1.500.0.1"},
        {"value": "1,234,5"},
        {"value": "7", "location": "Roof"},
        {"value": "120", "measurand": "SoC"},
    ],
)
def test_what_means_nothing_usual_is_only_kept(sample):
    reading = read(NOON, [sample])
    assert reading.rest == [sample]
    assert not reading.odd
    assert reading.energy_wh is None


def test_usual_samples_are_not_odd():
    reading = read(NOON, [{"value": "5", "unit": "kWh"}, {"value": "1", "measurand": "SoC"}])
    assert (reading.energy_wh, reading.rest, reading.odd) == (5000, None, False)


@given(
    st.dictionaries(
        st.sampled_from(["measurand", "unit", "phase", "context"]), st.text(max_size=30)
    ),
    st.text(max_size=20) | st.decimals(allow_nan=False, allow_infinity=False).map(str),
)
def test_any_sample_is_read(sample, value):
    reading = read(NOON, [{**sample, "value": value}])
    assert reading.odd <= (reading.rest is not None)
    usual({**sample, "value": value})

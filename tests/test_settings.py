from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from csms.errors import SettingsError
from csms.settings import load


def test_defaults_are_those_of_the_contract():
    settings = load({})
    assert (settings.ocpp_port, settings.http_port) == (9000, 8080)
    assert settings.data_dir == Path(".csms")
    assert (settings.price_per_kwh, settings.currency) == (Decimal("0.30"), "EUR")
    assert settings.call_timeout_s == 30
    assert settings.database_url is settings.admin_token is settings.quiet is None


def test_values_are_read_from_the_environment_whatever_its_case():
    settings = load({"csms_ocpp_port": "0", "CSMS_QUIET": "1", "CSMS_PRICE_PER_KWH": "0.4215"})
    assert (settings.ocpp_port, settings.quiet) == (0, True)
    assert settings.price_per_kwh == Decimal("0.4215")


def test_an_empty_value_is_no_value_and_other_programs_are_left_alone():
    assert load({"CSMS_ADMIN_TOKEN": "", "PATH": "/bin"}) == load({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CSMS_OCPP_PORT", "65536"),
        ("CSMS_OCPP_PORT", "9000.5"),
        ("CSMS_HTTP_PORT", "-1"),
        ("CSMS_QUIET", "maybe"),
        ("CSMS_CURRENCY", "euro"),
        ("CSMS_PRICE_PER_KWH", "NaN"),
        ("CSMS_PRICE_PER_KWH", "-0.1"),
        ("CSMS_CALL_TIMEOUT_S", "inf"),
        ("CSMS_CALL_TIMEOUT_S", "0"),
        ("CSMS_ADMIN_TOKEN", "short"),
        ("CSMS_DATABASE_URL", "mysql://host/name"),
        ("CSMS_DATABASE_URL", "postgresql://host"),
        ("CSMS_DATABASE_URL", "postgresql://u:p@host:543x/name"),
        ("CSMS_DATABASE_URL", "postgresql://u:p@host:99999/name"),
        ("CSMS_DATABASE_URL", "postgresql://u:p@one:5432,two:0/name"),
        ("CSMS_MQTT_URL", "http://host"),
        ("CSMS_MQTT_URL", "mqtt://host:0x"),
        ("CSMS_HTTP_PROT", "1"),
    ],
)
def test_a_wrong_setting_is_named(name, value):
    with pytest.raises(SettingsError) as caught:
        load({name: value})
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [name]


@pytest.mark.parametrize(
    "place", ["host", "u@host:5432", "u:p%40x@[::1]:5432", "u@one,two:5433", ""]
)
def test_an_address_of_a_database(place):
    url = f"postgresql://{place}/name?sslmode=require"
    assert load({"CSMS_DATABASE_URL": url}).database_url == url


def test_all_problems_are_told_at_once_and_a_typo_gets_a_hint():
    with pytest.raises(SettingsError) as caught:
        load({"CSMS_HTTP_PROT": "1", "CSMS_OCPP_PORT": "x", "CSMS_BUS_URL": "nats://host"})
    assert len(caught.value.problems) == 3
    assert "did you mean CSMS_HTTP_PORT?" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"CSMS_HTTP_PORT": "9000"}, ["CSMS_HTTP_PORT"]),
        ({"CSMS_HTTP_PORT": "9443"}, []),  # nothing has asked for TLS
        ({"CSMS_HTTP_PORT": "9443", "CSMS_OCPP_TLS_PORT": "9443"}, ["CSMS_OCPP_TLS_PORT"]),
        (
            {"CSMS_FILES_PORT": "8080", "CSMS_FTP_PORT": "8080"},
            ["CSMS_FILES_PORT"] + 2 * ["CSMS_FTP_PORT"],
        ),
        ({"CSMS_HTTP_PORT": "0", "CSMS_OCPP_PORT": "0"}, []),
        (
            {"CSMS_HTTP_PORT": "9000", "CSMS_HTTP_HOST": "10.0.0.1", "CSMS_OCPP_HOST": "10.0.0.2"},
            [],
        ),
        ({"CSMS_HTTP_PORT": "9000", "CSMS_HTTP_HOST": "10.0.0.1"}, ["CSMS_HTTP_PORT"]),
    ],
)
def test_no_port_is_for_two(given, named):
    problems = []
    try:
        load(given)
    except SettingsError as error:
        problems = error.problems
    assert [problem.partition(":")[0] for problem in problems] == named


def test_the_values_of_secrets_are_not_repeated():
    with pytest.raises(SettingsError) as caught:
        load({"CSMS_ADMIN_TOKEN": "hunter2", "CSMS_DATABASE_URL": "mysql://u:hunter3@h/n"})
    assert "hunter" not in str(caught.value)

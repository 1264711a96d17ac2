from __future__ import annotations

import json
import time

import pytest

from csms.domain.masking import mask

SECRET = "1234567890123456"


def conf(*keys: dict, unknown: tuple[str, ...] = ()) -> str:
    return json.dumps([3, "1", {"configurationKey": list(keys), "unknownKey": list(unknown)}])


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps([2, "1", "ChangeConfiguration", {"key": "AuthorizationKey", "value": SECRET}]),
        json.dumps([2, "1", "ChangeConfiguration", {"value": SECRET, "key": "authorizationkey"}]),
        '[2,"1","ChangeConfiguration",{"key":"Authorizat\\u0069onKey","value":"%s"}]',
        '[2,"1","ChangeConfiguration",{"key" : "AuthorizationKey" , "value" : "}{\\"%s"}]',
        conf({"key": "AuthorizationKey", "readonly": False, "value": SECRET}),
        conf({"key": "WifiPassword", "readonly": False, "value": SECRET}),
        conf(
            {"key": "A", "readonly": True, "value": "{"},
            {"key": "AuthorizationKey", "readonly": True, "value": SECRET},
        ),
        '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":"' + SECRET,
        '{"a":{"key":"AuthorizationKey","value":{"b":"%s"}}}',
        '{"key":"AuthorizationKey","value":%s}',
    ],
)
@pytest.mark.parametrize("action", ["ChangeConfiguration", "GetConfiguration", None])
def test_values_of_secret_keys_are_cut_out(action, raw):
    masked = mask(action, raw.replace("%s", SECRET))
    assert SECRET not in masked
    assert "***" in masked


def test_everything_else_stays_as_it_was():
    raw = conf(
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        {"key": "AuthorizationKey", "readonly": False, "value": SECRET},
        unknown=("AuthorizationKey", "Foo"),
    )
    assert mask("GetConfiguration", raw) == raw.replace(SECRET, "***")


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps([2, "1", "GetConfiguration", {"key": ["AuthorizationKey"]}]),
        json.dumps([2, "1", "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "1"}]),
        conf({"key": "AuthorizationKey", "readonly": True}, unknown=("AuthorizationKey",)),
    ],
)
def test_frames_without_a_secret_are_not_touched(raw):
    assert mask("ChangeConfiguration", raw) == raw


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("ftp://user:secret@host/a", "ftp://***@host/a"),
        ("ftp://user@host/a", "ftp://***@host/a"),
        ("ftp:\\/\\/user:secret@host\\/a", "ftp:\\/\\/***@host\\/a"),
        ("ftp://user:p@ss@host/a", "ftp://***@host/a"),
        ("ftp://user:p/ss@host/a", "ftp://***@host/a"),
        ("http://host/a@b", "http://host/a@b"),
        ("http://host/a", "http://host/a"),
    ],
)
@pytest.mark.parametrize(
    "action", ["GetDiagnostics", "UpdateFirmware", "GetLog", "SignedUpdateFirmware"]
)
def test_credentials_in_urls_are_cut_out(action, url, masked):
    assert mask(action, f'{{"location":"{url}","retries":1}}') == (
        f'{{"location":"{masked}","retries":1}}'
    )


@pytest.mark.parametrize(
    "key",
    [
        "WiFiPSK",
        "APN_Pwd",
        "WlanPassphrase",
        "ApiKey",
        "AccessToken",
        "ClientPrivateKey",
        "SIM_PIN",
    ],
)
def test_names_that_makers_give_to_secrets_are_known(key):
    raw = json.dumps([2, "1", "ChangeConfiguration", {"key": key, "value": SECRET}])
    assert mask("ChangeConfiguration", raw) == raw.replace(SECRET, "***")


@pytest.mark.parametrize(
    "action", ["ChangeConfiguration", "GetConfiguration", "DataTransfer", None]
)
def test_credentials_in_urls_of_settings_are_cut_out(action):
    raw = conf({"key": "CentralSystemURL", "readonly": False, "value": f"wss://me:{SECRET}@host/o"})
    assert mask(action, raw) == raw.replace(f"me:{SECRET}", "***")


@pytest.mark.parametrize(
    "action", ["InstallCertificate", "CertificateSigned", "SignCertificate", "DataTransfer", None]
)
@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "ENCRYPTED "])
@pytest.mark.parametrize("end", ['\n-----END PRIVATE KEY-----\n"}]', '"}]', ""])
def test_private_keys_are_cut_out_and_certificates_stay(action, kind, end):
    certificate = "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n"
    key = f"-----BEGIN {kind}PRIVATE KEY-----"
    raw = f'[2,"1","X",{{"certificate":"{certificate}{key}\\n{SECRET}{end}'
    masked = mask(action, raw)
    assert SECRET not in masked
    assert certificate in masked
    assert f"{key}***" in masked


@pytest.mark.parametrize(
    "payload",
    [
        '{"vendorId":"v","data":"{\\"password\\":\\"%s\\"}","messageId":"m"}',
        '{"vendorId":"v","messageId":"SetPassword","data":"%s"}',
        '{"vendorId":"v","messageId":"SetPassword","data":{"now":["%s"]}}',
        '{"data":{"data":"x","pwd":"%s"}}',
        '{"vendorId":"v","data":"pwd=%s',
    ],
)
def test_vendors_data_are_cut_out_where_a_secret_is_named(payload):
    masked = mask("DataTransfer", f'[2,"1","DataTransfer",{payload.replace("%s", SECRET)}]')
    assert SECRET not in masked
    assert masked.startswith('[2,"1","DataTransfer",{')
    assert '"data":"***"' in masked


@pytest.mark.parametrize("data", ['{\\"current\\":16}', "gJgEPSkA+Pwd/aPSK9"])
def test_vendors_data_stay_where_no_secret_is_named(data):
    raw = f'[2,"1","DataTransfer",{{"vendorId":"v","data":"{data}"}}]'
    assert mask("DataTransfer", raw) == raw


def test_harmless_actions_are_not_looked_into():
    raw = '{"key":"AuthorizationKey","value":"1"}'
    assert mask("Heartbeat", raw) is raw


@pytest.mark.parametrize(
    "unit",
    ['"://a:', "://a:", '{"key":"AuthorizationKey",', "{passw", '{"passw', '{"passw":', "\\u0041"],
)
def test_hostile_text_costs_no_more_than_its_length(unit):
    raw = unit * (2**19 // len(unit))
    started = time.process_time()
    mask(None, raw)
    assert time.process_time() - started < 20  # quadratic would be minutes

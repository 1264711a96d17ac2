"""Every call of a central system gets an answer that fits the schema, whatever its fields hold."""

import json
import random
from typing import Any

import pytest

from simulator.vehicle import Vehicle
from tests.simulator.central import SCHEMAS, validate
from tests.simulator.pki import authority

ACTIONS = [
    "CancelReservation", "CertificateSigned", "ChangeAvailability", "ChangeConfiguration",
    "ClearCache", "ClearChargingProfile", "DataTransfer", "DeleteCertificate",
    "ExtendedTriggerMessage", "GetCompositeSchedule", "GetConfiguration", "GetDiagnostics",
    "GetInstalledCertificateIds", "GetLocalListVersion", "GetLog", "InstallCertificate",
    "RemoteStartTransaction", "RemoteStopTransaction", "ReserveNow", "Reset", "SendLocalList",
    "SetChargingProfile", "SignedUpdateFirmware", "TriggerMessage", "UnlockConnector",
    "UpdateFirmware",
]  # fmt: skip
PAYLOADS = 25
ROOT = authority()
TEXTS = ["", "x", "TAG", "ab" * 16, "\u00e9\U0001f50c", "-1", "true", "0.RST", "1e999", ROOT.pem]
NUMBERS = [0, 1, 2, -1, 1001, 2**31 - 1, -(2**40)]


def made(schema: dict[str, Any], chance: random.Random, of: dict[str, Any]) -> Any:
    """A value that a schema allows, odd as it may be."""
    if "$ref" in schema:
        return made(of["definitions"][schema["$ref"].rpartition("/")[2]], chance, of)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    match schema.get("type"):
        case "object" | None:
            required = schema.get("required", [])
            return {
                name: made(inner, chance, of)
                for name, inner in schema.get("properties", {}).items()
                if name in required or chance.random() < 0.5
            }
        case "array":
            least = schema.get("minItems", 0)
            return [made(schema["items"], chance, of) for _ in range(chance.randint(least, 2))]
        case "integer":
            return chance.choice(NUMBERS)
        case "number":
            return chance.choice([0, 6, 16.5, -1, 10**9])
        case "boolean":
            return chance.random() < 0.5
        case _ if schema.get("format") == "date-time":
            moments = ["2026-01-01T00:00:00Z", "2100-01-01T00:00:00+02:00", "soon", "0001-01-01"]
            return chance.choice(moments)
        case _ if schema.get("format") == "uri":
            return chance.choice(["gopher://x/", "http://127.0.0.1:1/", "ftp://[", "\u00e9"])
        case _:
            return chance.choice(TEXTS)[: schema.get("maxLength", 500)]


@pytest.mark.parametrize("action", ACTIONS)
async def test_any_call_is_answered(central, make, caplog, action):
    schema = json.loads((SCHEMAS / f"{action}.json").read_text("utf-8-sig"))
    chance = random.Random(action)  # the same payloads at each run
    async with make(connectors=2, reboot_keys=("AuthorizationKey", "WebSocketPingInterval")) as one:
        await one.until_registered()
        one.plug(1, Vehicle())
        await one.present_tag(1, "TAG")
        for _ in range(PAYLOADS):
            await one.until_registered()
            payload = made(schema, chance, schema)
            frame = await central.call_raw("CP1", action, payload)
            if frame[0] == 3:
                validate(f"{action}Response", frame[2])
            else:
                assert frame[2] != "InternalError", (payload, frame)
        one.stop(patience_s=0)

"""Quirks of the handshake and of boot."""

import ssl
import warnings

from simulator.basic_auth import basic
from simulator.events import Event
from simulator.oddities.model import Door, Frame, Oddity, Payload, Played
from simulator.reboots import reboot

ANSWER_LEAVES_S = 0.05


def _no_connection_header(played: Played, door: Door) -> None:
    del played
    door.headers["Connection"] = None


def _no_upgrade_header(played: Played, door: Door) -> None:
    del played
    door.headers["Upgrade"] = None


def _file_origin(played: Played, door: Door) -> None:
    del played
    door.headers["Origin"] = "file://"


def _no_subprotocol(played: Played, door: Door) -> None:
    del played
    door.headers["Sec-WebSocket-Protocol"] = None


def _reboot_on_configuration(played: Played, event: Event) -> None:
    asked = event.data.get("action")
    if event.name == "received" and asked in ("ChangeConfiguration", "GetConfiguration"):
        station = played.station

        async def reboot_later() -> None:
            # The answer leaves first.
            await station.clock.sleep(ANSWER_LEAVES_S)
            await reboot(station)

        station.spawn(reboot_later)


async def _bursts(played: Played) -> None:
    station, chance = played.station, played.chance
    while True:
        await station.clock.sleep(chance.expovariate(1 / played.parameters["everyS"]))
        for _ in range(int(played.parameters["count"])):
            await station.until_registered()
            station.link.needs_boot = True
            station.drop_connection()
            await station.clock.sleep(station.settings.reconnect_min_s)


def _stuck_on_trigger(played: Played, action: str, payload: Payload) -> Payload | None:
    if action == "TriggerMessage" and payload.get("requestedMessage") == "BootNotification":
        # The answer itself still leaves; from then on nothing does.
        played.memory["silent"] = True
        return {"status": "Accepted"}
    return None


def _is_stuck(played: Played) -> bool:
    return bool(played.memory.get("silent"))


def _unstuck(played: Played, event: Event) -> None:
    if event.name == "disconnected":
        played.memory.clear()


class BootFields:
    """Puts odd texts into BootNotification."""

    def __init__(self, **fields: str) -> None:
        self._fields = fields

    def __call__(self, played: Played, frame: Frame) -> None:
        """Change the frame."""
        del played
        if frame.action == "BootNotification":
            frame.payload.update(self._fields)


def _trusts_nobody(played: Played, door: Door) -> None:
    del played
    if door.url.startswith("wss:"):
        door.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _old_tls(played: Played, door: Door) -> None:
    del played
    if door.url.startswith("wss:"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        # Naming the old versions is deprecated, and they are what this is about.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
        door.tls = context


class PathChange:
    """Puts texts before and after the identity in the URL's path."""

    def __init__(self, before: str, after: str) -> None:
        self._before, self._after = before, after

    def __call__(self, played: Played, door: Door) -> None:
        """Change the URL."""
        del played
        start, _, identity = door.url.rpartition("/")
        door.url = f"{start}{self._before}{identity}{self._after}"


def _encoded(played: Played, door: Door) -> None:
    start = door.url.rpartition("/")[0]
    raw = played.station.identity.encode()
    door.url = f"{start}/{''.join(f'%{byte:02X}' for byte in raw)}"


class Login:
    """Writes the Basic credentials in another way; None keeps the right part."""

    def __init__(self, user: str | None, password: bytes | None, *, as_hex: bool = False) -> None:
        self._user, self._password, self._as_hex = user, password, as_hex

    def __call__(self, played: Played, door: Door) -> None:
        """Change the Authorization header."""
        known = played.station.security.password
        password = known if self._password is None else self._password
        if password is None:
            return
        if self._as_hex:
            password = password.hex().encode()
        user = played.station.identity if self._user is None else self._user
        door.headers["Authorization"] = basic(user, password)


def _deaf_to_pings(played: Played, door: Door) -> None:
    del played
    door.answers_pings = False


def _needs_vendor_first(played: Played, frame: Frame) -> None:
    del played
    if frame.action == "BootNotification":
        frame.payload["firmwareVersion"] = "0.0.0-factory"


def _refuses_charging(played: Played, action: str, payload: Payload) -> Payload | None:
    del played, payload
    refused = ("RemoteStartTransaction", "SetChargingProfile", "ChangeConfiguration")
    return {"status": "Rejected"} if action in refused else None


HANDSHAKE = (
    Oddity(
        name="no-connection-header",
        family="handshake",
        does="no Connection: Upgrade in the handshake",
        who="unnamed",
        source="lbbrhzn PR1984",
        door=_no_connection_header,
    ),
    Oddity(
        name="no-upgrade-header",
        family="handshake",
        does="no Upgrade: websocket in the handshake",
        who="Cahors",
        source="OEM commit",
        door=_no_upgrade_header,
    ),
    Oddity(
        name="no-subprotocol",
        family="handshake",
        does="no Sec-WebSocket-Protocol in the handshake",
        who="various",
        source="steve, lbbrhzn",
        door=_no_subprotocol,
    ),
    Oddity(
        name="file-origin",
        family="handshake",
        does="Origin: file:// in the handshake",
        who="Enercab",
        source="evcc#13990",
        door=_file_origin,
    ),
    Oddity(
        name="silent-boot",
        family="handshake",
        does="no BootNotification until it is triggered",
        who="Wallbox Pulsar Pro fw 6.x",
        source="evcc charger/ocpp/cp.go:149",
        trait=True,
    ),
    Oddity(
        name="boot-bursts",
        family="handshake",
        does="reconnects and boots in bursts",
        who="unnamed",
        source="evcc#30113",
        parameters={"everyS": 300, "count": 5},
        run=_bursts,
    ),
    Oddity(
        name="stuck-on-boot-trigger",
        family="handshake",
        does="falls silent after TriggerMessage(BootNotification), until the connection is lost",
        who="MG/StarCharge",
        source="lbbrhzn#1096",
        request=_stuck_on_trigger,
        loses=_is_stuck,
        event=_unstuck,
    ),
    Oddity(
        name="reboots-on-configuration",
        family="handshake",
        does="reboots after ChangeConfiguration and GetConfiguration",
        who="SyncEV, Grizzl-E, ABB",
        source="lbbrhzn#1153,#1275",
        event=_reboot_on_configuration,
    ),
    Oddity(
        name="late-boot",
        family="handshake",
        does="boots minutes after it has connected",
        who="Mennekes 4You",
        source="evcc template connecttimeout, #32236",
        parameters={"afterS": 900},
        trait=True,
    ),
    Oddity(
        name="empty-vendor",
        family="handshake",
        does="an empty vendor in BootNotification",
        who="Huawei",
        source="evcc#32170/PR32184",
        call=BootFields(chargePointVendor=""),
    ),
    Oddity(
        name="long-serial",
        family="handshake",
        does="serial numbers of 26 and 33 signs",
        who="Schneider EVlink",
        source="mobility#122,#128,#273; lbbrhzn#213",
        call=BootFields(
            chargePointSerialNumber="3N200540490C1B1S2EVB1A22PXX"[:26],
            chargeBoxSerialNumber="3N200540490C1B1S2EVB1A22PXXXXXXXX",
        ),
    ),
    Oddity(
        name="odd-iccid",
        family="handshake",
        does='iccid "-67", which is a signal strength',
        who="Grizzl-E",
        source="lbbrhzn#176",
        call=BootFields(iccid="-67"),
    ),
    Oddity(
        name="null-texts",
        family="handshake",
        does='the text "null" in BootNotification\'s optional fields',
        who="ABB",
        source="lbbrhzn#213",
        call=BootFields(iccid="null", imsi="null", meterType="null", meterSerialNumber="null"),
    ),
    Oddity(
        name="needs-own-ca",
        family="handshake",
        does="trusts no authority and refuses the server without a word",
        who="Autel",
        source="evcc template, HA supported-devices.md",
        door=_trusts_nobody,
    ),
    Oddity(
        name="tls-1.0",
        family="handshake",
        does="speaks TLS 1.0 only",
        who="EVBox EV7",
        source="lbbrhzn#1432",
        door=_old_tls,
    ),
    Oddity(
        name="extra-path-segment",
        family="handshake",
        does="a segment between the endpoint and the identity",
        who="SETEC",
        source="steve#689",
        door=PathChange("/CentralSystemService/4/", ""),
    ),
    Oddity(
        name="double-slash",
        family="handshake",
        does="two slashes before the identity",
        who="simulators and stations",
        source="SAP sim#1034",
        door=PathChange("//", ""),
    ),
    Oddity(
        name="no-slash",
        family="handshake",
        does="no slash between the endpoint and the identity",
        who="stations",
        source="SAP sim#1034",
        door=PathChange("", ""),
    ),
    Oddity(
        name="trailing-slash",
        family="handshake",
        does="a slash after the identity",
        who="stations",
        source="libocpp PR801, open-ocpp PR198",
        door=PathChange("/", "/"),
    ),
    Oddity(
        name="encoded-identity",
        family="handshake",
        does="every sign of the identity percent-encoded",
        who="stations",
        source="core#1093",
        door=_encoded,
    ),
    Oddity(
        name="hex-password",
        family="handshake",
        does="the key's hex form as Basic password",
        who="various",
        source="shiv3#260/PR264, steve#1895",
        door=Login(None, None, as_hex=True),
    ),
    Oddity(
        name="foreign-user",
        family="handshake",
        does="a Basic user that is not the identity",
        who="various",
        source="JOCA PR163, VCP PR3",
        door=Login("ocpp", None),
    ),
    Oddity(
        name="binary-password",
        family="handshake",
        does="a Basic password that is not UTF-8",
        who="various",
        source="steve#1895",
        door=Login(None, bytes(range(0xF0, 0x100))),
    ),
    Oddity(
        name="empty-password",
        family="handshake",
        does="a Basic header with an empty password",
        who="Wallbox",
        source="HA supported-devices.md",
        door=Login(None, b""),
    ),
    Oddity(
        name="needs-vendor-backend",
        family="handshake",
        does="boots with factory firmware and refuses to charge until its vendor has updated it",
        who="EN+",
        source="HA supported-devices.md",
        call=_needs_vendor_first,
        request=_refuses_charging,
    ),
    Oddity(
        name="slow-pings",
        family="handshake",
        does="pings every two minutes",
        who="unnamed",
        source="ocpp-go#44",
        configuration={"WebSocketPingInterval": "120"},
    ),
    Oddity(
        name="deaf-to-pings",
        family="handshake",
        does="never answers pings",
        who="unnamed",
        source="mobility#338",
        door=_deaf_to_pings,
    ),
)

"""Site meters that speak MQTT.

A reading is a message to ``charging/sites/SITE/meter``: the power through the grid connection in
kW, as a bare number or as ``{"powerKw": 12.3}``. It is heard as one over HTTP is. A retained
message is an old reading, and no word of a meter; neither is one that no number can be read from.
"""

from __future__ import annotations

import secrets
import ssl
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiomqtt
import orjson
import structlog

from csms.clock import Clock
from csms.errors import DatabaseAway, NotFound

_log = structlog.get_logger(__name__)

TOPIC = "charging/sites/+/meter"
_BEFORE, _AFTER = TOPIC.split("+")
_QOS = 1
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_MOST_KW = 1_000_000


class Meters(Protocol):
    """Takes what meters tell."""

    async def hear_meter(self, site_id: str, power_w: int, solar_w: int | None) -> object:
        """Take the word of a site's meter. Raises NotFound, DatabaseAway."""
        ...


class SiteMeters:
    """Listens at a broker, for ever; a broker that is away is asked again with pauses.

    Concurrency: one task runs `run`.
    """

    def __init__(self, url: str, meters: Meters, clock: Clock) -> None:
        """Prepare; `url` is ``mqtt://`` or ``mqtts://``, with user and password where needed."""
        self._url = urlsplit(url)
        self._meters = meters
        self._clock = clock
        self._odd: set[str] = set()  # topics whose last message was of no use

    async def run(self) -> None:
        """Hear readings.

        Cancellation: leaves the broker.
        """
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with self._client() as client:
                    await client.subscribe(TOPIC, qos=_QOS)
                    _log.info("listening to site meters", broker=self._url.hostname)
                    pause_s = _FIRST_PAUSE_S
                    async for message in client.messages:
                        if not message.retain:
                            await self._take(message.topic.value, message.payload)
            except aiomqtt.MqttError as error:
                _log.warning("the MQTT broker is away", error=str(error), again_in_s=pause_s)
            await self._clock.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _client(self) -> aiomqtt.Client:
        url, secure = self._url, self._url.scheme == "mqtts"
        return aiomqtt.Client(
            hostname=url.hostname or "",
            port=url.port or (8883 if secure else 1883),
            username=None if url.username is None else unquote(url.username),
            password=None if url.password is None else unquote(url.password),
            # without one of its own a broker may take two clients for one and the same
            identifier=f"csms-{secrets.token_hex(6)}",
            protocol=aiomqtt.ProtocolVersion.V311,
            tls_context=ssl.create_default_context() if secure else None,
        )

    async def _take(self, topic: str, payload: object) -> None:
        site_id = topic.removeprefix(_BEFORE).removesuffix(_AFTER)
        try:
            await self._meters.hear_meter(site_id, *read_power_w(payload))
        except (ValueError, NotFound) as error:
            if topic not in self._odd:  # a meter that goes on so is told of once
                self._odd.add(topic)
                _log.warning("a site meter's word is of no use", topic=topic, error=str(error))
        except DatabaseAway as error:
            _log.warning("a site meter's word is lost", topic=topic, error=str(error))
        else:
            self._odd.discard(topic)


def read_power_w(payload: object) -> tuple[int, int | None]:
    """Return the power of a message in whole W, positive = import, and the panels', if it is told.

    >>> read_power_w(b"12.34"), read_power_w(b'{"powerKw": -1.5, "solarKw": 4}')
    ((12340, None), (-1500, 4000))

    Raises:
        ValueError: It holds no power that can be.
    """
    told = orjson.loads(payload) if isinstance(payload, bytes | str) else None
    power, solar = told, None
    if isinstance(told, dict):
        power, solar = told.get("powerKw"), told.get("solarKw")
    power_w, solar_w = _whole(power), _whole(solar)
    if power_w is not None and (solar is None or (solar_w is not None and solar_w >= 0)):
        return power_w, solar_w
    msg = "no power in kW in it"
    raise ValueError(msg)


def _whole(kw: object) -> int | None:
    if isinstance(kw, bool) or not isinstance(kw, int | float) or not abs(kw) <= _MOST_KW:
        return None  # no NaN either
    return round(kw * 1000)

"""Yardstick A: a central system as the README of the `ocpp` package shows it, with asyncpg.

One statement and one commit a message; the rest is the example: `@on` handlers that take keyword
arguments and return dataclasses, validation by the package, logging at WARNING. It looks up no
id tag and links nothing, so it does less than ours; its figures are a lower bound.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from typing import Any

import asyncpg
from ocpp.routing import on
from ocpp.v16 import ChargePoint as CentralSystem
from ocpp.v16 import call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, basic_auth, serve
from websockets.exceptions import ConnectionClosed

DDL = """
CREATE TABLE charge_points (id text PRIMARY KEY, password bytea NOT NULL);
CREATE TABLE boots (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, charge_point text NOT NULL,
    vendor text NOT NULL, model text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE statuses (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    charge_point text NOT NULL, connector int NOT NULL, error text NOT NULL, status text NOT NULL,
    at timestamptz NOT NULL);
CREATE TABLE meter_values (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    charge_point text NOT NULL, connector int NOT NULL, transaction bigint, at timestamptz NOT NULL,
    samples jsonb NOT NULL);
CREATE INDEX ON meter_values (charge_point, at);
CREATE TABLE transactions (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    charge_point text NOT NULL, connector int NOT NULL, id_tag text NOT NULL,
    meter_start bigint NOT NULL, started timestamptz NOT NULL, meter_stop bigint,
    stopped timestamptz, reason text);
"""


def digest(password: str) -> bytes:
    """Return what is stored of a password."""
    return hashlib.sha256(password.encode()).digest()


class ChargePoint(CentralSystem):  # type: ignore[misc]  # the package is untyped
    database: asyncpg.Pool

    @on(Action.boot_notification)
    async def on_boot(
        self, charge_point_vendor: str, charge_point_model: str, **_: Any
    ) -> call_result.BootNotification:
        await self.database.execute(
            "INSERT INTO boots (charge_point, vendor, model, at) VALUES ($1, $2, $3, $4)",
            self.id,
            charge_point_vendor,
            charge_point_model,
            datetime.now(UTC),
        )
        return call_result.BootNotification(
            current_time=datetime.now(UTC).isoformat(),
            interval=300,
            status=RegistrationStatus.accepted,
        )

    @on(Action.status_notification)
    async def on_status(
        self, connector_id: int, error_code: str, status: str, **_: Any
    ) -> call_result.StatusNotification:
        await self.database.execute(
            "INSERT INTO statuses (charge_point, connector, error, status, at)"
            " VALUES ($1, $2, $3, $4, $5)",
            self.id,
            connector_id,
            error_code,
            status,
            datetime.now(UTC),
        )
        return call_result.StatusNotification()

    @on(Action.heartbeat)
    async def on_heartbeat(self, **_: Any) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=datetime.now(UTC).isoformat())

    @on(Action.meter_values)
    async def on_meter_values(
        self,
        connector_id: int,
        meter_value: list[dict[str, Any]],
        transaction_id: int | None = None,
        **_: Any,
    ) -> call_result.MeterValues:
        for element in meter_value:
            await self.database.execute(
                "INSERT INTO meter_values (charge_point, connector, transaction, at, samples)"
                " VALUES ($1, $2, $3, $4, $5)",
                self.id,
                connector_id,
                transaction_id,
                datetime.fromisoformat(element["timestamp"]),
                json.dumps(element["sampled_value"]),
            )
        return call_result.MeterValues()

    @on(Action.start_transaction)
    async def on_start(
        self, connector_id: int, id_tag: str, meter_start: int, timestamp: str, **_: Any
    ) -> call_result.StartTransaction:
        number = await self.database.fetchval(
            "INSERT INTO transactions (charge_point, connector, id_tag, meter_start, started)"
            " VALUES ($1, $2, $3, $4, $5) RETURNING id",
            self.id,
            connector_id,
            id_tag,
            meter_start,
            datetime.fromisoformat(timestamp),
        )
        return call_result.StartTransaction(
            transaction_id=number, id_tag_info=IdTagInfo(status=AuthorizationStatus.accepted)
        )

    @on(Action.stop_transaction)
    async def on_stop(
        self,
        transaction_id: int,
        meter_stop: int,
        timestamp: str,
        reason: str | None = None,
        **_: Any,
    ) -> call_result.StopTransaction:
        await self.database.execute(
            "UPDATE transactions SET meter_stop = $2, stopped = $3, reason = $4 WHERE id = $1",
            transaction_id,
            meter_stop,
            datetime.fromisoformat(timestamp),
            reason,
        )
        return call_result.StopTransaction()


async def on_connect(connection: ServerConnection) -> None:
    if not connection.subprotocol:
        await connection.close()
        return
    path = connection.request.path if connection.request else "/"
    charge_point = ChargePoint(path.rsplit("/", 1)[1], connection)
    try:
        await charge_point.start()
    except ConnectionClosed:
        return


async def main() -> None:
    async with asyncpg.create_pool(os.environ["BENCH_DATABASE_URL"]) as pool:
        ChargePoint.database = pool

        async def check(user: str, password: str) -> bool:
            stored = await pool.fetchval("SELECT password FROM charge_points WHERE id = $1", user)
            return stored is not None and hmac.compare_digest(stored, digest(password))

        async with serve(
            on_connect,
            "127.0.0.1",
            0,
            subprotocols=["ocpp1.6"],  # type: ignore[list-item]  # websockets' own NewType of str
            process_request=basic_auth(realm="ocpp", check_credentials=check),
            backlog=4096,
            open_timeout=60,
        ) as server:
            print(f"port {next(iter(server.sockets)).getsockname()[1]}", flush=True)
            await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())

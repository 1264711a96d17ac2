"""Creates a fleet's stations and id tags at a central system through its operator API.

The only place where the simulator speaks HTTP. What is there already (409) is left as it is.
"""

import asyncio
from typing import Any

import aiohttp

from simulator.errors import RegistrationError
from simulator.fleet_file import FleetPlan
from simulator.refusals import api_reason, api_refusal

PARALLEL = 8
"""Requests at once."""


async def register_fleet(plan: FleetPlan, base_url: str, token: str | None) -> int:
    """Create all stations and id tags of ``plan`` and return how many were new.

    Args:
        plan: the fleet.
        base_url: the API's root, such as ``http://127.0.0.1:8080``.
        token: bearer token.

    Raises:
        RegistrationError: the API is not there or does not take something; the text says what.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    bodies: list[tuple[str, dict[str, Any]]] = []
    for group in plan.groups:
        for name in group.names:
            body: dict[str, Any] = {
                "identity": name,
                "name": name,
                "maxKw": group.supply.max_w / 1000,
                "connectors": group.connectors,
                "currentType": group.currentType,
            }
            # A DC charger is limited in W: its voltage is the battery's.
            if group.currentType == "AC":
                body |= {"phases": group.supply.phases, "voltageV": group.supply.voltage_v}
            if group.password is not None:
                body["password"] = group.password
            if group.securityProfile is not None:
                body["securityProfile"] = group.securityProfile
            bodies.append(("/api/stations", body))
    tags = dict.fromkeys(tag for group in plan.groups for tag in group.idTags)
    bodies += [("/api/id-tags", {"idTag": tag, "status": "Accepted"}) for tag in tags]
    slots = asyncio.Semaphore(PARALLEL)
    created = 0

    async with aiohttp.ClientSession(headers=headers) as http:

        async def create(path: str, body: dict[str, Any]) -> None:
            nonlocal created
            async with slots, http.post(base_url.rstrip("/") + path, json=body) as answer:
                if answer.status not in (201, 409):
                    refusal = api_refusal(answer.status, await answer.text())
                    raise RegistrationError(f"POST {path} answered {refusal}")
                created += answer.status == 201

        try:
            async with asyncio.TaskGroup() as tasks:
                for path, body in bodies:
                    tasks.create_task(create(path, body))
        except* aiohttp.ClientError as errors:
            why = api_reason(errors.exceptions[0], base_url)
            raise RegistrationError(f"cannot reach {base_url}: {why}") from errors
        except* RegistrationError as errors:
            raise RegistrationError(str(errors.exceptions[0])) from errors
    return created

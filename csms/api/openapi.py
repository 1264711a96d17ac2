"""The OpenAPI 3.1 document, generated from the models that validate."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import TypeAdapter

from csms.api.fields import PageQuery
from csms.api.handling import Endpoint
from csms.api.problems import CONTENT_TYPE, Problem
from csms.services.access import Role

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"{(\w+)}")
_SECURITY: list[dict[str, list[str]]] = [{"apiKey": []}, {"cookie": [], "csrf": []}]
_SCHEMES = {
    "apiKey": {"type": "http", "scheme": "bearer"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "csms_session"},
    "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
}
_Key = tuple[int, str]
_Mode = Literal["validation", "serialization"]


def camel(name: str) -> str:
    """Return the contract's spelling of a parameter.

    >>> camel("station_id")
    'stationId'
    """
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def document(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """Return the document over all endpoints."""
    adapters: list[tuple[_Key, _Mode, TypeAdapter[Any]]] = [
        ((-1, "problem"), "serialization", TypeAdapter(Problem))
    ]
    for index, endpoint in enumerate(endpoints):
        if endpoint.path_model is not None:
            adapters.append(((index, "path"), "validation", TypeAdapter(endpoint.path_model)))
        if endpoint.query_model is not None:
            adapters.append(((index, "query"), "validation", TypeAdapter(endpoint.query_model)))
        if endpoint.body is not None:
            adapters.append(((index, "body"), "validation", endpoint.body))
        if endpoint.answer is not None:
            adapters.append(((index, "answer"), "serialization", endpoint.answer))
        for status, kind in endpoint.route.also.items():
            adapters.append(((index, f"also {status}"), "serialization", TypeAdapter(kind)))
    found, definitions = TypeAdapter.json_schemas(adapters, by_alias=True, ref_template=_REF)
    by_key = {key: schema for (key, _), schema in found.items()}
    schemas: dict[str, Any] = dict(definitions.get("$defs", {}))
    paths: dict[str, dict[str, Any]] = {}
    parameter_models: set[str] = set()
    for index, endpoint in enumerate(endpoints):
        path = _PARAMETER.sub(lambda match: f"{{{camel(match[1])}}}", endpoint.route.path)
        parameters = []
        for place in ("path", "query"):
            schema = by_key.get((index, place))
            if schema is not None:
                name = schema.get("$ref", "").rsplit("/", 1)[-1]
                parameter_models.add(name)
                parameters += _parameters(place, schemas.get(name, schema))
        if endpoint.route.idempotent:
            parameters.append(_IDEMPOTENCY_KEY)
        operation = _operation(endpoint, parameters)
        if endpoint.body is not None:
            operation["requestBody"] = {
                "required": not endpoint.body_is_optional,
                "content": {"application/json": {"schema": by_key[index, "body"]}},
            }
        if endpoint.route.takes_bytes or endpoint.route.takes_csv:
            operation["requestBody"] = _CSV if endpoint.route.takes_csv else _BYTES
        operation["responses"] = _responses(index, endpoint, by_key)
        paths.setdefault(path, {})[endpoint.route.method.lower()] = operation
    for name in parameter_models:
        schemas.pop(name, None)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "csms operator API",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SCHEMES},
    }


_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key gets the same answer and does nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


_BINARY = {"type": "string", "format": "binary"}
_BYTES = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": _BINARY},
        "multipart/form-data": {
            "schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY}}
        },
    },
}


_CSV = {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}


def _operation(endpoint: Endpoint, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    route = endpoint.route
    summary, _, description = (inspect.getdoc(route.handler) or "").partition("\n")
    operation: dict[str, Any] = {
        "operationId": camel(route.handler.__name__),
        "summary": summary,
        "tags": [route.tag],
        "parameters": parameters,
        "security": [] if route.role is None else _SECURITY,
    }
    text = description.strip()
    if route.role is not None:
        text = f"{text}\n\nRole: {_roles(route.role)}.".strip()
    if text:
        operation["description"] = text
    return operation


def _roles(needed: Role) -> str:
    return " or ".join(role.value for role in Role if role.includes(needed))


def _parameters(place: str, schema: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = []
    for name, field in schema.get("properties", {}).items():
        wanted = {key: value for key, value in field.items() if key != "title"}
        if "anyOf" in wanted:  # a parameter is absent, never null
            choices = [choice for choice in wanted.pop("anyOf") if choice.get("type") != "null"]
            wanted |= choices[0] if len(choices) == 1 else {"anyOf": choices}
        if wanted.get("default", 0) is None:
            wanted.pop("default")
        parameters.append(
            {
                "name": camel(name) if place == "path" else name,
                "in": place,
                "required": place == "path" or name in schema.get("required", []),
                "schema": wanted,
            }
        )
    return parameters


def _responses(index: int, endpoint: Endpoint, by_key: dict[_Key, Any]) -> dict[str, Any]:
    route = endpoint.route
    responses: dict[str, Any] = {str(route.status): {"description": "Done."}}
    if endpoint.answer is not None:
        content = {"application/json": {"schema": by_key[index, "answer"]}}
        if endpoint.query_model is not None and issubclass(endpoint.query_model, PageQuery):
            content["text/csv"] = {"schema": {"type": "string"}}
        responses[str(route.status)]["content"] = content
    for status in route.also:
        content = {"application/json": {"schema": by_key[index, f"also {status}"]}}
        responses[str(status)] = {"description": "Done.", "content": content}
    refusals = dict(route.refusals)
    if endpoint.path_model is not None:
        refusals.setdefault(404, "There is no such thing.")
    if endpoint.path_model or endpoint.query_model or endpoint.body:
        refusals.setdefault(422, "The request is wrong in content; `fields` says where.")
    if endpoint.body is not None:
        refusals.setdefault(400, "The body is not JSON.")
        refusals.setdefault(413, "The body is too large.")
        refusals.setdefault(415, "The body is not said to be JSON.")
    if route.idempotent:
        refusals.setdefault(409, "The first request with this key is still at work.")
    if route.role is not None:
        refusals.setdefault(401, "No credentials, or bad ones.")
        refusals.setdefault(403, "Not allowed to this role.")
    refusals.setdefault(503, "The database is away.")
    problem = {CONTENT_TYPE: {"schema": by_key[-1, "problem"]}}
    for status, description in sorted(refusals.items()):
        responses.setdefault(str(status), {"description": description, "content": problem})
    return responses

"""From a declared route to an aiohttp handler: who, what, do, answer.

The models that validate a request are those that the OpenAPI document is made of.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from typing import Any, get_args, get_origin, get_type_hints

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from csms.api import csv_export, problems
from csms.api.authentication import Authentication
from csms.api.fields import JsonObject, PageQuery
from csms.api.idempotency import Idempotency
from csms.api.routes import Reply, Route
from csms.errors import Invalid, NotFound, Refusal
from csms.services.access import Principal

_GIVEN = frozenset({"body", "query", "principal", "request"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Endpoint:
    """A route with the types of its handler's signature.

    Attributes:
        path_model: Model of the path's parameters, None without any.
        query_model: Model of the query, None when none is taken.
        body: Type of the body, None when none is taken.
        answer: Type of the answer, None when the handler makes its own.
    """

    def __init__(self, route: Route) -> None:
        self.route = route
        hints = get_type_hints(route.handler, include_extras=True)
        parameters = inspect.signature(route.handler).parameters
        in_path = {name: hints[name] for name in parameters if name not in _GIVEN}
        missing = [name for name in in_path if f"{{{name}}}" not in route.path]
        if missing:
            raise TypeError(f"{route.path} has no {missing}")
        self.takes = frozenset(parameters)
        self.path_model = _path_model(tuple(in_path.items())) if in_path else None
        self.query_model: type[BaseModel] | None = hints.get("query")
        self.body: TypeAdapter[Any] | None = None
        self.body_is_free = hints.get("body") == JsonObject
        self.body_is_optional = False
        if "body" in hints:
            self.body = TypeAdapter(hints["body"])
            model = hints["body"]
            self.body_is_optional = (
                isinstance(model, type)
                and issubclass(model, BaseModel)
                and (not any(field.is_required() for field in model.model_fields.values()))
            )
        answer = hints["return"]
        if get_origin(answer) is Reply:
            answer = get_args(answer)[0]
        makes_own = isinstance(answer, type) and issubclass(answer, web.StreamResponse)
        self.answer: TypeAdapter[Any] | None = (
            None if answer is type(None) or makes_own else TypeAdapter(answer)
        )

    def handler(self, authentication: Authentication, idempotency: Idempotency) -> Handler:
        """Return the aiohttp handler."""
        route = self.route

        async def handle(request: web.Request) -> web.StreamResponse:
            given: dict[str, Any] = {}
            principal: Principal | None = None
            if route.role is not None:
                principal = await authentication.require(request, route.role)
            if "principal" in self.takes:
                given["principal"] = principal
            if "request" in self.takes:
                given["request"] = request
            raw = await problems.in_time(request.read()) if self.body is not None else b""

            async def act() -> web.StreamResponse:
                try:
                    self._read(request, raw, given)
                    result = await route.handler(**given)
                    query = given.get("query")
                    if isinstance(query, PageQuery) and query.format == "csv":
                        return csv_export.response(result)
                    return self._written(result)
                except Refusal as refusal:
                    return problems.response(refusal)

            key = request.headers.get("Idempotency-Key")
            if route.idempotent and key is not None and principal is not None:
                return await idempotency.once(request, raw, principal.name, key, act)
            return await act()

        return handle

    def _read(self, request: web.Request, raw: bytes, given: dict[str, Any]) -> None:
        """Validate path, query and body into `given`. Raises Refusal."""
        if self.path_model is not None:
            if any("\x00" in value for value in request.match_info.values()):
                raise NotFound("not_found", "There is no such thing.")
            try:
                path = self.path_model.model_validate(dict(request.match_info))
            except ValidationError:
                raise NotFound("not_found", "There is no such thing.") from None
            given |= {name: getattr(path, name) for name in self.path_model.model_fields}
        given |= self._read_query(request)
        if self.body is not None:
            given["body"] = self._read_body(request, raw)

    def _read_query(self, request: web.Request) -> dict[str, Any]:
        repeated = {name for name in request.query if len(request.query.getall(name)) > 1}
        if repeated:
            wrong = dict.fromkeys(sorted(repeated), "is given more than once")
            raise Invalid("invalid_request", "A query parameter is repeated.", wrong)
        texts = dict(request.query)
        if any("\x00" in text for pair in texts.items() for text in pair):
            raise Invalid("invalid_request", "The query contains NUL.")
        if self.query_model is None:
            if texts:
                wrong = dict.fromkeys(sorted(texts), "is not taken here")
                raise Invalid("invalid_request", "There are no query parameters here.", wrong)
            return {}
        try:
            return {"query": self.query_model.model_validate(texts)}
        except ValidationError as error:
            raise problems.of_validation(error) from None

    def _read_body(self, request: web.Request, raw: bytes) -> Any:
        if self.body is None:
            raise TypeError("no body is taken")
        if not raw and self.body_is_optional:
            raw = b"{}"
        elif request.content_type != "application/json":
            raise problems.UnsupportedMediaType(
                "unsupported_media_type", "Send the body as application/json."
            )
        if self.body_is_free:
            return _json_object(raw)
        try:
            return self.body.validate_json(raw)
        except ValidationError as error:
            raise problems.of_validation(error) from None

    def _written(self, result: Any) -> web.StreamResponse:
        if isinstance(result, web.StreamResponse):
            return result
        status, headers = self.route.status, None
        if isinstance(result, Reply):
            status, headers, result = result.status, result.headers, result.body
        if result is None:
            return web.Response(status=HTTPStatus.NO_CONTENT, headers=headers)
        if isinstance(result, BaseModel):
            body = result.model_dump_json(by_alias=True).encode()
        else:
            body = orjson.dumps(result)
        return web.Response(
            body=body, status=status, headers=headers, content_type="application/json"
        )


@cache  # many routes have the same parameters, and a model takes long to make
def _path_model(parameters: tuple[tuple[str, Any], ...]) -> type[BaseModel]:
    fields: dict[str, Any] = {name: (hint, ...) for name, hint in parameters}
    return create_model("Path", __config__=ConfigDict(extra="ignore"), **fields)


def _json_object(raw: bytes) -> JsonObject:
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise problems.Malformed("invalid_json", "The body is not valid JSON.") from None
    if not isinstance(content, dict):
        raise Invalid(
            "invalid_payload", "The body must be a JSON object.", {"body": "must be an object"}
        )
    return content


__all__ = ["Endpoint", "Handler"]

"""What comes before an endpoint's own work: validation first, then the tokens.

Validation errors have FastAPI's shape. Tokens come from headers only, and a bearer token wins over
the `x-` headers (the wire contract, section 2).
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from vp_tui.simulator.sessions import is_valid_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import HTTPConnection, Request

    from vp_tui.simulator.boot import SimGateway
    from vp_tui.simulator.database import JsonObject
    from vp_tui.simulator.options import SimOptions


_OPS_HEADERS: Final = ("x-ua-ops-token",)
_SESSION_HEADERS: Final = ("x-ua-internal-token", "x-ua-ops-token")


class SimInvalidRequestError(Exception):
    """The request's form is wrong: answered with 422 before anybody looks at its token."""

    def __init__(self, *errors: JsonObject) -> None:
        super().__init__(errors)
        self.errors = errors


def gateway_of(connection: HTTPConnection) -> SimGateway:
    """Return the gateway that this connection speaks to."""
    gateway: SimGateway = connection.app.state.gateway
    return gateway


def allows_ops(options: SimOptions, headers: Mapping[str, str]) -> bool:
    """Tell whether the ops plane is open to these headers; without an ops token it is to all."""
    return _allows(options.ops_token, headers, _OPS_HEADERS)


def allows_session(options: SimOptions, headers: Mapping[str, str]) -> bool:
    """Tell whether the session plane is; its token is the ops token when it has none of its own."""
    return _allows(options.internal_token or options.ops_token, headers, _SESSION_HEADERS)


def require_ops(request: Request) -> SimGateway:
    """Return the gateway, or raise 401 if the ops plane is closed to the request."""
    gateway = gateway_of(request)
    if not allows_ops(gateway.options, request.headers):
        raise HTTPException(401, "Unauthorized")
    return gateway


def require_session(request: Request) -> SimGateway:
    """Return the gateway, or raise 401 if the session plane is closed to the request."""
    gateway = gateway_of(request)
    if not allows_session(gateway.options, request.headers):
        raise HTTPException(401, "Unauthorized")
    return gateway


def known_session_id(request: Request, gateway: SimGateway) -> str:
    """Return the id in the path; raises 400 for a bad form and 404 for no such directory."""
    session_id: str = request.path_params["session_id"]
    if not is_valid_id(session_id):
        raise HTTPException(400, "Invalid session id format")
    if not gateway.workspaces.exists(session_id):
        raise HTTPException(404, "Session not found")
    return session_id


def query_ints(request: Request, **defaults: int) -> list[int]:
    """Return integers of the query in the order of `defaults`; raises for what is none."""
    values: list[int] = []
    errors: list[JsonObject] = []
    for name, default in defaults.items():
        text = request.query_params.get(name)
        try:
            values.append(default if text is None else int(text))
        except ValueError:
            message = "Input should be a valid integer, unable to parse string as an integer"
            errors.append(_error("int_parsing", ["query", name], message, text))
    if errors:
        raise SimInvalidRequestError(*errors)
    return values


async def body_text(request: Request, name: str) -> str | None:
    """Return the optional string `name` of a body that must be a JSON object."""
    try:
        body = json.loads(raw) if (raw := await request.body()) else None
    except json.JSONDecodeError as error:
        broken = _error("json_invalid", ["body", error.pos], "JSON decode error", {})
        raise SimInvalidRequestError({**broken, "ctx": {"error": error.msg}}) from error
    if body is None:
        raise SimInvalidRequestError(_error("missing", ["body"], "Field required", None))
    if not isinstance(body, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        raise SimInvalidRequestError(_error("model_attributes_type", ["body"], message, body))
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        message = "Input should be a valid string"
        raise SimInvalidRequestError(_error("string_type", ["body", name], message, value))
    return value


async def answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    """Answer an `HTTPException` as FastAPI does."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this type only
    return JSONResponse({"detail": error.detail}, error.status_code)


async def answer_invalid(_request: Request, error: Exception) -> JSONResponse:
    """Answer an `InvalidRequestError` as FastAPI does."""
    assert isinstance(error, SimInvalidRequestError)  # noqa: S101 - as above
    return JSONResponse({"detail": error.errors}, 422)


def _allows(expected: str | None, headers: Mapping[str, str], names: tuple[str, ...]) -> bool:
    if not expected:
        return True
    return hmac.compare_digest(_presented(headers, names).encode(), expected.encode())


def _presented(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return next((value for name in names if (value := headers.get(name, "").strip())), "")


def _error(kind: str, where: list[str | int], message: str, given: object) -> JsonObject:
    return {"type": kind, "loc": where, "msg": message, "input": given}

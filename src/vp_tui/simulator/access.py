"""What comes before an endpoint's own work: validation first, then the tokens.

Validation errors have FastAPI's shape. Tokens come from headers only, and a bearer token wins over
the `x-` headers (docs/wire.md, section 2).
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response

from vp_tui.domain.models import Plane
from vp_tui.simulator.sessions import is_valid_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from vp_tui.simulator.boot import SimGateway
    from vp_tui.simulator.database import JsonObject


_HEADERS: Final = {
    Plane.OPS: ("x-ua-ops-token",),
    Plane.SESSION: ("x-ua-internal-token", "x-ua-ops-token"),
}


class SimInvalidRequestError(Exception):
    """The request's form is wrong: answered with 422 before anybody looks at its token."""

    status_code: Final = 422

    def __init__(self, *errors: JsonObject) -> None:
        super().__init__(errors)
        self.detail = errors


def gateway_of(connection: HTTPConnection) -> SimGateway:
    """Return the gateway that this connection speaks to."""
    gateway: SimGateway = connection.app.state.gateway
    return gateway


def allows(plane: Plane, connection: HTTPConnection) -> bool:
    """Tell whether a plane is open to this connection; without a token of its own it is to all.

    The session plane's token is the ops token when it has none of its own.
    """
    options, headers = gateway_of(connection).options, connection.headers
    accepted = {options.ops_token}
    if plane is Plane.SESSION:
        accepted = {options.internal_token or options.ops_token}
        if options.dialect == "G2":
            accepted.add(options.ops_token)
    accepted -= {None, ""}
    if not accepted:
        return True
    scheme, _, presented = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        presented = next(filter(None, (headers.get(n, "").strip() for n in _HEADERS[plane])), "")
    given = presented.strip().encode()
    if options.dialect == "G2" and given.count(b".") == 2:  # noqa: PLR2004 - it is taken for a JWT
        return False
    return any(hmac.compare_digest(given, token.encode()) for token in accepted if token)


class SimOpsGuard:
    """G2's middleware: without a token every path of the ops plane is 401, also one that is none.

    On G1 an endpoint validates first, and an unknown path is 404.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or let the request pass."""
        is_ops = scope["type"] == "http" and scope["path"].startswith("/api/v1/ops/")
        if is_ops and not allows(Plane.OPS, HTTPConnection(scope)):
            await JSONResponse({"detail": "Unauthorized"}, 401)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def require(plane: Plane, request: Request) -> SimGateway:
    """Return the gateway, or raise 401 if the plane is closed to the request."""
    if not allows(plane, request):
        raise HTTPException(401, "Unauthorized")
    gateway = gateway_of(request)
    gateway.is_opened |= plane is Plane.OPS
    return gateway


def valid_session_id(text: str) -> str:
    """Return `text`, or raise 400 if it cannot be a session's id."""
    if not is_valid_id(text):
        raise HTTPException(400, "Invalid session id format")
    return text


def known_session_id(request: Request, gateway: SimGateway) -> str:
    """Return the id in the path; raises 400 for a bad form and 404 for no such directory."""
    session_id = valid_session_id(request.path_params["session_id"])
    if not gateway.workspaces.exists(session_id):
        raise HTTPException(404, "Session not found")
    return session_id


def query_ints(request: Request, **defaults: int) -> list[int]:
    """Return integers of the query in the order of `defaults`; raises for what is none."""
    values, errors = [], []
    for name, default in defaults.items():
        text = request.query_params.get(name, default)
        try:
            values.append(int(text))
        except ValueError:
            message = "Input should be a valid integer, unable to parse string as an integer"
            errors.append(_error("int_parsing", ["query", name], message, text))
    if errors:
        raise SimInvalidRequestError(*errors)
    return values


def missing_query(name: str) -> JsonObject:
    """Return the error of a query without what it must have."""
    return _error("missing", ["query", name], "Field required", None)


async def body_texts(request: Request, *names: str) -> list[str | None]:
    """Return the optional strings of these names of a body that must be a JSON object."""
    raw, kind = await request.body(), request.headers.get("content-type", "application/json")
    is_json = kind.partition(";")[0].strip().lower().endswith(("/json", "+json"))
    try:
        body = (json.loads(raw) if is_json else raw.decode(errors="replace")) if raw else None
    except json.JSONDecodeError as error:
        broken = _error("json_invalid", ["body", error.pos], "JSON decode error", {})
        raise SimInvalidRequestError({**broken, "ctx": {"error": error.msg}}) from error
    except ValueError as error:
        raise HTTPException(400, "There was an error parsing the body") from error
    if body is None:
        raise SimInvalidRequestError(_error("missing", ["body"], "Field required", None))
    if not isinstance(body, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        raise SimInvalidRequestError(_error("model_attributes_type", ["body"], message, body))
    message = "Input should be a valid string"
    if errors := [
        _error("string_type", ["body", name], message, value)
        for name in names
        if (value := body.get(name)) is not None and not isinstance(value, str)
    ]:
        raise SimInvalidRequestError(*errors)
    return list(map(body.get, names))


async def answer_error(request: Request, error: Exception) -> JSONResponse:
    """Answer the errors that are raised here as FastAPI does; a 422 of G2 has a form of its own."""
    # It is registered for these types only.
    assert isinstance(error, HTTPException | SimInvalidRequestError)  # noqa: S101
    gateway = gateway_of(request)
    if isinstance(error, HTTPException) or gateway.options.dialect == "G1":
        headers = getattr(error, "headers", None)
        return JSONResponse({"detail": error.detail}, error.status_code, headers)
    first = next(iter(error.detail), {})
    told = ("VALIDATION_ERROR", str(first.get("msg")), {"fields": error.detail})
    return _g2_error(gateway, "val", error.status_code, told)


async def answer_crash(request: Request, _error: Exception) -> Response:
    """Answer 500: G1 in plain text, G2 in its own form."""
    gateway = gateway_of(request)
    if gateway.options.dialect == "G1":
        return PlainTextResponse("Internal Server Error", 500)
    return _g2_error(gateway, "err", 500, ("INTERNAL_ERROR", "An unexpected error occurred.", {}))


def _g2_error(
    gateway: SimGateway, kind: str, status: int, told: tuple[str, str, JsonObject]
) -> JSONResponse:
    error = dict(zip(("code", "message", "extra"), told, strict=True))
    ids = {"request_id": f"{kind}-{gateway.ledger.ids.hex(12)}", "timestamp": gateway.clock.stamp()}
    return JSONResponse({"error": error, **ids}, status)


def _error(kind: str, where: list[str | int], message: str, given: object) -> JsonObject:
    return {"type": kind, "loc": where, "msg": message, "input": given}

"""Orders: one request each, its answer or its failure in words; never a second one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from vp_tui.domain.models import INTERNAL, OPS, CancelAnswer
from vp_tui.domain.text import literal
from vp_tui.gateway import errors
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.orders import DEADLINE_S, Orders

from .conftest import LOCAL, REMOTE, credentials_of, recorded

ID = "session_20261122_193534_d3833624"
RAN = "session_20261122_193458_043b78ea"


class Gate:
    """The other end: counts what comes and answers each request alike."""

    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer = answer
        self.came: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.came.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def orders(self, url: str = LOCAL, credentials: Credentials | None = None) -> Orders:
        ticks = iter([100.0, 105.0])
        return Orders(
            url,
            credentials or credentials_of(url, **{OPS: "ops-token", INTERNAL: "internal-token"}),
            transport=httpx.MockTransport(self),
            clock=lambda: next(ticks),
        )


async def failure_of(orders: Orders, session_id: str = ID) -> errors.GatewayError:
    with pytest.raises(errors.GatewayError) as caught:
        await orders.cancel(session_id, "stuck")
    words = caught.value.failure
    for text in (words.reason, words.cure):
        assert text
        assert text == literal(text)
        assert len(text) < 500
    assert words.is_uncertain == caught.value.may_have_arrived
    assert words.is_uncertain == ("whether the order was carried out is not known" in words.reason)
    return caught.value


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        ("d08_cancel_running", (RAN, "stuck [red]x[/red]", True)),
        ("d11_cancel_again_idle", (RAN, "Cancelled from ops panel", False)),
        ("e1_cancel_deaf", (ID, "stuck", False)),
    ],
)
async def test_an_answered_cancel_tells_what_was_answered(
    recording: str, expected: tuple[str, str, bool]
) -> None:
    gate = Gate(recorded(f"{recording}.json"))
    answer = await gate.orders().cancel(ID, "stuck [red]x[/red]")
    assert answer == CancelAnswer(*expected, None, 5.0)


async def test_a_cancel_is_one_post_with_its_reason_and_both_tokens() -> None:
    gate = Gate(recorded("d08_cancel_running.json"))
    await gate.orders("http://127.0.0.1:8002/ua").cancel(ID, "zu lang  ✓")
    (request,) = gate.came
    assert request.method == "POST"
    assert request.url == f"http://127.0.0.1:8002/ua/api/v1/ops/sessions/{ID}/cancel"
    assert json.loads(request.content) == {"reason": "zu lang  ✓"}
    assert request.headers["content-type"] == "application/json"
    sent = request.headers["x-ua-ops-token"], request.headers["x-ua-internal-token"]
    assert sent == ("ops-token", "internal-token")
    assert "authorization" not in request.headers


def test_a_deaf_run_has_time_to_be_told_of_on_both_generations() -> None:
    assert DEADLINE_S > 15


async def test_a_g2_answer_may_name_the_run_and_more() -> None:
    body = json.loads(recorded("d08_cancel_running.json").content)
    gate = Gate(httpx.Response(200, json={**body, "run_id": "run_1", "attempts": [1]}))
    assert (await gate.orders().cancel(ID, "x")).run_id == "run_1"


@pytest.mark.parametrize("session_id", ["", "/", "..", "a/b", "a?b", " ", "ä", "x" * 129, "a\n"])
async def test_no_bad_id_becomes_another_order(session_id: str) -> None:
    gate = Gate(recorded("d08_cancel_running.json"))
    assert type(await failure_of(gate.orders(), session_id)) is errors.InvalidTarget
    assert gate.came == []


@pytest.mark.parametrize(
    ("answer", "kind", "reason", "cure"),
    [
        (recorded("d12_cancel_unknown.json"), errors.NotFound, "Session not found", "it is gone"),
        (httpx.Response(404, json={"detail": "Not Found"}), errors.NotFound, "404", "URL?"),
        (recorded("d16_cancel_no_body.json"), errors.Rejected, "body: Field required", "request"),
        (httpx.Response(400, json={"detail": "Invalid session id format"}), errors.Rejected,
         "Invalid session id format", "request"),
        (recorded("a11b_cancel_no_token.json"), errors.TokenRefused,
         "UA_OPS_TOKEN from environment was rejected", "renew UA_OPS_TOKEN"),
        (httpx.Response(403, json={"detail": "Route disabled for FACTORY_ROLE=local"}),
         errors.Unauthorized, "FACTORY_ROLE", "role"),
        (httpx.Response(307, headers={"location": "http://else.example/?t=hush"}), errors.Rejected,
         "redirects to http://else.example/", "final URL"),
        (httpx.ConnectError("[Errno 111]"), errors.Unreachable, "127.0.0.1:8002: ", "gateway"),
        (httpx.ConnectTimeout(""), errors.Unreachable, "127.0.0.1:8002: ", "gateway"),
    ],
)  # fmt: skip
async def test_an_order_that_was_refused_or_never_left_is_known_not_to_be_done(
    answer: httpx.Response | Exception, kind: type[errors.GatewayError], reason: str, cure: str
) -> None:
    gate = Gate(answer)
    error = await failure_of(gate.orders())
    assert type(error) is kind
    assert reason in error.failure.reason
    assert cure in error.failure.cure
    assert "hush" not in str(error)
    assert not error.failure.is_uncertain
    assert len(gate.came) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.ReadError("reset"), errors.Unreachable),
        (httpx.WriteError("reset"), errors.Unreachable),
        (httpx.RemoteProtocolError("closed without an answer"), errors.Unreachable),
        (httpx.Response(500, text="Internal Server Error"), errors.ServerFailed),
        (httpx.Response(502, text="<html>"), errors.ServerFailed),
        (httpx.Response(200, text="fine"), errors.Unreadable),
        (httpx.Response(200, json={"status": "cancel_requested"}), errors.Unreadable),
        (httpx.Response(200, json={"session_id": ID, "task_cancelled": "no"}), errors.Unreadable),
    ],
)
async def test_an_order_that_may_have_arrived_is_not_repeated_and_says_so(
    answer: httpx.Response | Exception, kind: type[errors.GatewayError]
) -> None:
    gate = Gate(answer)
    error = await failure_of(gate.orders())
    assert type(error) is kind
    assert error.failure.is_uncertain
    assert error.failure.cure == "look at what it was to change before giving it again"
    assert len(gate.came) == 1


async def test_a_gateway_that_never_answers_times_out_in_doubt() -> None:
    came = 0

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal came
        came += 1
        await asyncio.Event().wait()
        raise AssertionError

    transport = httpx.MockTransport(answer)
    orders = Orders(LOCAL, credentials_of(LOCAL), transport=transport, deadline_s=0.01)
    error = await failure_of(orders)
    assert type(error) is errors.TimedOut
    assert error.failure.is_uncertain
    assert came == 1


async def test_a_session_is_made_by_one_post_and_told_by_its_id() -> None:
    gate = Gate(recorded("b03_create_session.json"))
    assert await gate.orders().create_session() == "session_20261122_193435_32a71dff"
    (request,) = gate.came
    assert (request.method, request.url.path) == ("POST", "/api/v1/sessions")
    assert json.loads(request.content) == {}
    assert request.headers["x-ua-internal-token"] == "internal-token"


@pytest.mark.parametrize(
    ("answer", "kind", "is_uncertain"),
    [
        (recorded("a10_401_session_none.json"), errors.TokenRefused, False),
        (httpx.Response(503, json={"detail": "Session API token is not configured."}),
         errors.ServerFailed, True),
        (httpx.Response(200, json={"session_id": "../../etc"}), errors.Unreadable, True),
        (httpx.Response(200, json={}), errors.Unreadable, True),
        (httpx.ReadError("reset"), errors.Unreachable, True),
        (httpx.ConnectError("[Errno 111]"), errors.Unreachable, False),
    ],
)  # fmt: skip
async def test_a_session_that_was_not_made_is_told_and_not_asked_for_again(
    answer: httpx.Response | Exception, kind: type[errors.GatewayError], *, is_uncertain: bool
) -> None:
    gate = Gate(answer)
    with pytest.raises(errors.GatewayError) as caught:
        await gate.orders().create_session()
    assert type(caught.value) is kind
    assert caught.value.failure.is_uncertain == is_uncertain
    assert len(gate.came) == 1


async def test_a_withheld_token_is_why_an_order_is_refused() -> None:
    credentials = Credentials(TokenSources(environ={OPS: "x"}), base_url=REMOTE)
    credentials.read()
    gate = Gate(httpx.Response(401))
    error = await failure_of(gate.orders(REMOTE, credentials))
    assert error.failure.reason == "no token was sent: plain http to gateway.example:8002"
    assert "x-ua-ops-token" not in gate.came[0].headers


async def test_what_the_gateway_says_cannot_reach_the_terminal() -> None:
    body: dict[str, Any] = {"session_id": ID, "task_cancelled": True, "reason": "a\x1b[2J\nb"}
    answer = await Gate(httpx.Response(200, json=body)).orders().cancel(ID, "x")
    assert answer.reason == "a␛[2J b"


async def test_a_refused_connection_leaves_nothing_in_doubt(unused_tcp_port: int) -> None:
    error = await failure_of(Orders(f"http://127.0.0.1:{unused_tcp_port}", credentials_of(LOCAL)))
    assert "connection refused" in error.failure.reason
    assert not error.failure.is_uncertain

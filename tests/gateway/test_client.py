from __future__ import annotations

import httpx
import pytest
from tests.support.builders import NOW

from vp_tui.domain.models import INTERNAL, OPS, Plane
from vp_tui.gateway import errors
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.log_tail import TailRequest

from .conftest import REMOTE, MakeClient, credentials_of, failure_of, recorded


async def test_each_endpoint_is_asked_as_the_contract_says(make_client: MakeClient) -> None:
    answers = {
        "/api/v1/health": "a01_health.json",
        "/api/v1/ops/metrics/coder-vp": "b04_metrics_clean.json",
        "/api/v1/dashboard/metrics/coder-vp": "b05_dashboard_clean.json",
        "/api/v1/ops/sessions": "b06_ops_sessions.json",
        "/api/v1/sessions": "b07_sessions.json",
        "/api/v1/ops/metrics/session-continuity": "k01_session_continuity.json",
        "/api/v1/ops/logs/tail": "g02_tail_lane.json",
        "/api/v1/ops/vp/missions": "g2/b04_vp_missions.json",
    }
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return recorded(answers[request.url.path])

    client = make_client(answer, credentials=credentials_of(**{OPS: "o", INTERNAL: "i"}))
    assert (await client.health()).clock_offset_s == -21_600
    assert len((await client.metrics()).missions) == 2
    assert len((await client.metrics(Plane.DASHBOARD)).missions) == 2
    assert (await client.sessions()).total == 4
    assert (await client.sessions(Plane.SESSION)).total == 4
    assert (await client.continuity()).transport_status == "ok"
    assert (await client.log_tail("vp_coder_primary", TailRequest(7))).size == 3374
    assert len((await client.claims(NOW)).missions) == 11
    limits = "vp_id=vp.coder.primary&mission_limit=500&event_limit=1000"
    assert [request.url.query.decode() for request in asked] == [
        "",
        limits,
        limits,
        "limit=1000",
        "",
        "",
        "session_id=vp_coder_primary&limit=5000&max_bytes=1000000&cursor=7",
        "vp_id=vp.coder.primary&limit=500",
    ]
    both = {"x-ua-ops-token": "o", "x-ua-internal-token": "i"}
    sent = [{k: v for k, v in r.headers.items() if k.startswith("x-ua")} for r in asked]
    assert sent == [{}, both, {}, both, both, both, both, both]
    assert not any("authorization" in request.headers for request in asked)


async def test_metrics_of_another_lane_are_not_ours(make_client: MakeClient) -> None:
    client = make_client(lambda _request: recorded("a04_metrics_unknown_vp.json"))
    failure = (await failure_of(client)).failure
    assert failure.reason.startswith("the metrics are of another lane: ")


async def test_a_first_tail_has_no_cursor_and_a_path_prefix_is_kept(
    make_client: MakeClient,
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/ua/api/v1/ops/logs/tail"
        assert "cursor" not in request.url.params
        return recorded("g02_tail_lane.json")

    await make_client(answer, "http://127.0.0.1:1/ua/").log_tail("s", TailRequest())


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "post", "GET "])
async def test_no_request_but_reading_passes_its_http_client(
    make_client: MakeClient, method: str
) -> None:
    client = make_client(lambda _: pytest.fail("a request was sent"))
    http = await client._client()
    with pytest.raises(errors.ReadOnly, match=r"read-only: .* /api/v1/sessions is not sent"):
        await http.request(method, "/api/v1/sessions", json={})


async def test_no_bad_id_leaves_the_house(make_client: MakeClient) -> None:
    client = make_client(lambda _: pytest.fail("a request was sent"))
    with pytest.raises(errors.InvalidTarget):
        await client.log_tail("../secrets", TailRequest())


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, b'{"detail": "vp_id is required"}', errors.Rejected, "vp_id is required"),
        (403, b'{"detail": "Route disabled for FACTORY_ROLE=local"}', errors.Unauthorized, "ROLE"),
        (404, b'{"detail": "Not Found"}', errors.NotFound, "404 from /api/v1/ops/metrics"),
        (
            422,
            b'{"detail": [{"loc": ["query", "limit"], "msg": "not an int", "input": "hush"}]}',
            errors.Rejected,
            "query.limit: not an int",
        ),
        (418, b"\x1b[31mteapot\n" + b"x" * 9_000, errors.Rejected, "␛[31mteapot xxx"),
        (500, b"Internal Server Error", errors.ServerFailed, "500 from"),
        (
            422,
            (
                b'{"error": {"code": "VALIDATION_ERROR", "message": "Field required", "extra": '
                b'{"fields": [{"loc": ["query", "vp_id"], "msg": "Field required"}]}}}'
            ),
            errors.Rejected,
            "query.vp_id: Field required",
        ),
        (
            500,
            b'{"error": {"code": "INTERNAL_ERROR", "message": "Unexpected.", "extra": {}}}',
            errors.ServerFailed,
            "INTERNAL_ERROR: Unexpected.",
        ),
        (500, b'{"detail": [1, {"msg": 3}, "s"]}', errors.ServerFailed, "s"),
        (502, b"<html>Bad gateway</html>", errors.ServerFailed, "a web page"),
        (
            503,
            b'{"detail": {"code": "vp_db_locked", "message": "locked", "retryable": true}}',
            errors.ServerFailed,
            "vp_db_locked: locked",
        ),
        (500, b"\xff\xfe", errors.ServerFailed, "500"),
        (500, b'["odd"]', errors.ServerFailed, "500"),
    ],
)
async def test_an_error_status_is_told_in_words(
    make_client: MakeClient,
    status: int,
    body: bytes,
    kind: type[errors.GatewayError],
    words: str,
) -> None:
    client = make_client(lambda _: httpx.Response(status, content=body))
    error = await failure_of(client)
    assert type(error) is kind
    assert words in error.failure.reason
    assert "hush" not in str(error)


@pytest.mark.parametrize(
    ("tokens", "ask", "reason", "cure"),
    [
        ({}, "metrics", "wants a token and there is none", OPS),
        ({OPS: "x"}, "metrics", "UA_OPS_TOKEN from environment was rejected (expired?)", OPS),
        ({INTERNAL: "x"}, "metrics", "wants a token and there is none", OPS),
        ({}, "session_plane", "wants a token and there is none", INTERNAL),
        ({OPS: "x"}, "session_plane", "UA_OPS_TOKEN from environment is not accepted", INTERNAL),
        ({INTERNAL: "x"}, "session_plane", "UA_INTERNAL_API_TOKEN from environment", INTERNAL),
        ({OPS: "x"}, "health", "wants a login that is not the gateway's", "proxy"),
    ],
)
async def test_a_refused_token_is_named_by_its_plane(
    make_client: MakeClient, tokens: dict[str, str], ask: str, reason: str, cure: str
) -> None:
    client = make_client(
        lambda _: recorded("a10_401_ops_none.json"), credentials=credentials_of(**tokens)
    )
    if ask == "session_plane":
        with pytest.raises(errors.Unauthorized) as caught:
            await client.sessions(Plane.SESSION)
        failure = caught.value.failure
    else:
        failure = (await failure_of(client, ask)).failure
    assert reason in failure.reason
    assert cure in failure.cure


async def test_a_withheld_token_is_why_the_gateway_refuses(make_client: MakeClient) -> None:
    credentials = Credentials(TokenSources(environ={OPS: "x"}), base_url=REMOTE)
    credentials.read()

    def answer(request: httpx.Request) -> httpx.Response:
        assert "x-ua-ops-token" not in request.headers
        return httpx.Response(401)

    error = await failure_of(make_client(answer, REMOTE, credentials=credentials))
    assert error.failure.reason == "no token was sent: plain http to gateway.example:8002"


async def test_a_redirect_is_not_followed(make_client: MakeClient) -> None:
    target = {"location": "https://elsewhere.example/login?token=hush"}
    error = await failure_of(make_client(lambda _: httpx.Response(307, headers=target)))
    assert type(error) is errors.Rejected
    assert "redirects to https://elsewhere.example/login" in error.failure.reason
    assert "hush" not in str(error)


@pytest.mark.parametrize(
    "body",
    [b"<!doctype html>", b'{"generated_at": "20', b'{"recent_missions": null}', b"null", b""],
)
async def test_an_answer_that_is_none_is_unreadable(make_client: MakeClient, body: bytes) -> None:
    error = await failure_of(make_client(lambda _: httpx.Response(200, content=body)))
    assert type(error) is errors.Unreadable


async def test_an_unhealthy_gateway_still_tells_its_health(make_client: MakeClient) -> None:
    body = {"status": "unhealthy", "timestamp": "2026-11-22T19:34:29", "db_status": "error"}
    health = await make_client(lambda _: httpx.Response(503, json=body)).health()
    assert (health.status, health.db_status, health.clock_offset_s) == ("unhealthy", "error", None)


async def test_a_503_that_is_no_health_is_a_failure(make_client: MakeClient) -> None:
    client = make_client(lambda _: httpx.Response(503, text="upstream"))
    assert type(await failure_of(client, "health")) is errors.ServerFailed


async def test_a_bad_health_answer_is_unreadable(make_client: MakeClient) -> None:
    client = make_client(lambda _: httpx.Response(200, text="fine"))
    assert type(await failure_of(client, "health")) is errors.Unreadable


async def test_a_host_that_cannot_be_one_is_told(make_client: MakeClient) -> None:
    assert type(await failure_of(make_client(url="http://xn--"))) is errors.Unreachable


def test_a_bad_url_is_told_at_once(make_client: MakeClient) -> None:
    with pytest.raises(errors.InvalidTarget):
        make_client(url="gateway:8002")


async def test_closing_twice_is_harmless(make_client: MakeClient) -> None:
    client = make_client(lambda _: recorded("a01_health.json"))
    await client.aclose()
    await client.health()
    await client.aclose()
    await client.aclose()

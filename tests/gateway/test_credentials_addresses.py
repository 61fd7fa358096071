from __future__ import annotations

import pytest

from vp_tui.domain.text import literal
from vp_tui.gateway.credentials import (
    gateway_id,
    gateway_url,
    host_port,
    is_loopback,
    is_session_id,
    require_session_id,
    stream_url,
)
from vp_tui.gateway.errors import GatewayError, InvalidTarget


@pytest.mark.parametrize(
    "text", ["session_20261122_193429_4556ec26", "vp_coder_primary", "a", "0.x-y", "a" * 128]
)
def test_what_the_gateway_takes_is_a_session_id(text: str) -> None:
    assert is_session_id(text)
    assert require_session_id(text) == text


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "-a", "a/b", "a%2Fb", "a b", "a?b", "a#b", "é", "a\n", "a" * 129, "/cancel"],
)
def test_what_could_name_another_endpoint_is_none(text: str) -> None:
    assert not is_session_id(text)
    with pytest.raises(InvalidTarget) as caught:
        require_session_id(text)
    assert literal(caught.value.failure.reason) == caught.value.failure.reason


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8002", "http://127.0.0.1:8002"),
        ("https://gateway.example/", "https://gateway.example"),
        ("https://gateway.example/ua/v2/?x=1#y", "https://gateway.example/ua/v2"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_base_url_keeps_its_path_prefix(text: str, url: str) -> None:
    assert gateway_url(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "gateway:8002", "ftp://x", "http://", "http://x:port", "http://x:99999", "http://[::1",
     "http://user:secret@x"],
)  # fmt: skip
def test_what_is_no_gateway_url_is_told_without_secrets(text: str) -> None:
    with pytest.raises(InvalidTarget) as caught:
        gateway_url(text)
    assert isinstance(caught.value, GatewayError)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://127.0.0.1:8002", "ws://127.0.0.1:8002/api/v1/sessions/s_1/stream"),
        ("https://gateway.example/ua/", "wss://gateway.example/ua/api/v1/sessions/s_1/stream"),
    ],
)
def test_a_stream_is_beside_the_gateway(base: str, url: str) -> None:
    assert stream_url(base, "s_1") == url


def test_no_stream_has_a_bad_id() -> None:
    with pytest.raises(InvalidTarget):
        stream_url("http://x", "../ops")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1", True),
        ("http://a.localhost", True),
        ("http://127.9.9.9", True),
        ("ws://[::1]:8002/x", True),
        ("http://[::ffff:127.0.0.1]", True),
        ("http://localhost.:1", True),
        ("http://10.0.0.1", False),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
    ],
)
def test_loopback_is_known_by_name(url: str, *, local: bool) -> None:
    assert is_loopback(url) is local


@pytest.mark.parametrize(
    ("url", "where"),
    [("http://a", "a:80"), ("wss://a/x", "a:443"), ("https://[::1]:9", "[::1]:9")],
)
def test_the_port_is_always_named(url: str, where: str) -> None:
    assert host_port(url) == where


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8002",
        "http://127.0.0.1:8002/",
        "http://[::1]:8002",
        "HTTP://LocalHost:8002",
    ],
)
def test_a_gateway_on_this_host_has_one_id(url: str) -> None:
    assert gateway_id(url) == "http://loopback:8002"


def test_an_id_tells_gateways_apart() -> None:
    urls = ("http://a", "https://a", "http://a:8002", "http://a/ua", "http://b")
    assert gateway_id("http://A.:80/") == gateway_id("http://a")
    assert len({gateway_id(url) for url in urls}) == len(urls)

"""Addresses of the gateway: which may be asked, how a socket's is made, and which are local."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from vp_tui.domain.text import clip, literal
from vp_tui.gateway.errors import InvalidTarget

_SESSION_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_SOCKET_SCHEMES: Final = {"http": "ws", "https": "wss"}
_SHOWN: Final = 80
_URL_CURE: Final = "give the gateway's address as http://host:port or https://host"


def is_session_id(text: str) -> bool:
    """Tell whether the gateway could know `text` as a session id (the wire contract, section 5)."""
    return _SESSION_ID.fullmatch(text) is not None


def require_session_id(text: str) -> str:
    """Return `text`; raise InvalidTarget unless it is a session id.

    An id enters paths and queries, where another text would name another endpoint.
    """
    if not is_session_id(text):
        shown = clip(literal(text), _SHOWN)
        raise InvalidTarget(f"not a session id: “{shown}”", "choose a session of the listing")
    return text


def gateway_url(text: str) -> str:
    """Return `text` as a base URL without a trailing slash, a path prefix kept.

    Raises InvalidTarget for anything but http or https with a host. Credentials in a URL are
    refused: they would go into an Authorization header, which wins over the token headers.
    """
    parts = _split(text)
    if "@" in parts.netloc:
        raise InvalidTarget("the gateway's URL holds a user name or password", _URL_CURE)
    if parts.scheme not in _SOCKET_SCHEMES or not parts.hostname:
        raise InvalidTarget(f"not an http or https URL: “{clip(literal(text), _SHOWN)}”", _URL_CURE)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def stream_url(base_url: str, session_id: str) -> str:
    """Return the WebSocket address of a session's stream; a path prefix of `base_url` is kept.

    Raises InvalidTarget for a bad URL or session id.
    """
    scheme, _, rest = gateway_url(base_url).partition("://")
    path = f"api/v1/sessions/{require_session_id(session_id)}/stream"
    return f"{_SOCKET_SCHEMES[scheme]}://{rest}/{path}"


def is_loopback(url: str) -> bool:
    """Tell whether the host of `url` is this machine by its very name."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_port(url: str) -> str:
    """Return `host:port` of a URL, the scheme's own port where none is given."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme in {'https', 'wss'} else 80)}"


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        # The text may hold a password, and so may the error: neither is shown.
        raise InvalidTarget("not a URL: its host or port cannot be read", _URL_CURE) from None
    return parts

"""Addresses and tokens of the gateway: what may be asked, and with which headers.

The gateway has two planes with a token each (docs/wire.md, section 2). Both headers go to both
planes, and `Authorization` never goes anywhere: a bearer token wins over the x- headers, so one
header set could then serve one plane only. Where no internal token is known, the ops token alone is
all that can be tried on the session plane.

No token's value is ever shown.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from vp_tui.domain.lane.switches import parse_env
from vp_tui.domain.models import INTERNAL, OPS, TokenPresence
from vp_tui.domain.text import clip, literal
from vp_tui.gateway.errors import InvalidTarget

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_SESSION_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_SOCKET_SCHEMES: Final = {"http": "ws", "https": "wss"}
_SHOWN: Final = 80
_URL_CURE: Final = "give the gateway's address as http://host:port or https://host"
HEADERS: Final = {OPS: "x-ua-ops-token", INTERNAL: "x-ua-internal-token"}

_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]+")
_READ_AT_MOST: Final = 65_536


def is_session_id(text: str) -> bool:
    """Tell whether the gateway could know `text` as a session id (docs/wire.md, section 5)."""
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
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        # The text may hold a password, and so may the error: neither is shown.
        raise InvalidTarget("not a URL: its host or port cannot be read", _URL_CURE) from None
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
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def host_port(url: str) -> str:
    """Return `host:port` of a URL, the scheme's own port where none is given."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme in {'https', 'wss'} else 80)}"


def gateway_id(url: str) -> str:
    """Return what names a gateway whatever its URL calls this machine: every loopback is one."""
    parts = urlsplit(url)
    host = "loopback" if is_loopback(url) else host_port(url).rpartition(":")[0].rstrip(".")
    port = host_port(url).rpartition(":")[2]
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A token that does not show itself in a repr, a log line or a traceback's locals."""

    _value: str

    def __repr__(self) -> str:
        return "Secret(…)"

    def reveal(self) -> str:
        """Return the value, for the header that carries it."""
        return self._value


@dataclass(frozen=True, slots=True)
class TokenSources:
    """Where tokens may come from. Per token the first of flag, environment, file, `.env` holds."""

    ops_file: Path | None = None
    internal_file: Path | None = None
    env_files: tuple[Path, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    ops_flag: str | None = field(default=None, repr=False)
    internal_flag: str | None = field(default=None, repr=False)


class Credentials:
    """The tokens as they were read last; knows none before the first `read`.

    Over plain http the tokens go only to this machine, unless `allow_insecure`.
    """

    def __init__(
        self, sources: TokenSources, *, base_url: str, allow_insecure: bool = False
    ) -> None:
        self._sources = sources
        self._where = host_port(base_url)
        self._unsafe = not (
            base_url.startswith("https:") or is_loopback(base_url) or allow_insecure
        )
        self._tokens: dict[str, Secret] = {}
        self.presence = TokenPresence()
        """What the last `read` found."""
        self.generation = 0
        """Grows whenever a `read` found other values than the one before."""

    @property
    def withheld(self) -> bool:
        """Whether there are tokens that are not sent because the link is not safe."""
        return self._unsafe and bool(self._tokens)

    def read(self) -> TokenPresence:
        """Read all sources again; what is wrong with one is told in words, never raised."""
        sources, reader = self._sources, _Reader(self._sources)
        found = {
            OPS: reader.token(OPS, sources.ops_flag, sources.ops_file),
            INTERNAL: reader.token(INTERNAL, sources.internal_flag, sources.internal_file),
        }
        tokens = {name: Secret(value) for name, (value, _) in found.items() if value}
        if tokens != self._tokens:
            self._tokens = tokens
            self.generation += 1
        if self.withheld:
            reader.problems.append(
                f"tokens are not sent over plain http to {self._where}: use https"
            )
        ops, internal = (origin or None for _, origin in found.values())
        self.presence = TokenPresence(ops, internal, tuple(reader.problems))
        return self.presence

    def headers(self) -> dict[str, str]:
        """Return the headers for every plane and the socket: none, one or both of the tokens."""
        if self.withheld:
            return {}
        return {HEADERS[name]: token.reveal() for name, token in self._tokens.items()}


class _Reader:
    """One reading of the sources; gathers what is wrong with them."""

    def __init__(self, sources: TokenSources) -> None:
        self._sources = sources
        self.problems: list[str] = []

    def token(self, name: str, flag: str | None, file: Path | None) -> tuple[str, str]:
        """Return the token of that name, and where it is from, of the first source with one."""
        value, origin = self._first(name, flag, file)
        if value and not _HEADER_VALUE.fullmatch(value):
            self._add(f"{name} from {origin} holds characters that no header can carry: not used")
            return "", ""
        return value, origin

    def _first(self, name: str, flag: str | None, file: Path | None) -> tuple[str, str]:
        if flag and flag.strip():
            return flag.strip(), "command line"
        if value := self._sources.environ.get(name, "").strip():
            return value, "environment"
        if file is not None:
            text, mode = self._read(file, required=True)
            if value := text.strip():
                return value, self._origin(file, mode)
        for env_file in self._sources.env_files:
            text, mode = self._read(env_file, required=False)
            if value := parse_env(text).get(name, "").strip():
                return value, self._origin(env_file, mode)
        return "", ""

    def _read(self, path: Path, *, required: bool) -> tuple[str, int]:
        """Return the file's text, "" when it has none, and its mode; tell what is wrong with it."""
        try:
            with path.expanduser().open("rb") as stream:
                mode = os.fstat(stream.fileno()).st_mode
                text = stream.read(_READ_AT_MOST).decode()
        except FileNotFoundError:
            if required:
                self._add(f"{_shown(path)}: no such file")
        except OSError as error:
            self._add(f"{_shown(path)} cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self._add(f"{_shown(path)} is not text")
        else:
            if required and not text.strip():
                self._add(f"{_shown(path)} is empty")
            return text, mode
        return "", 0

    def _origin(self, path: Path, mode: int) -> str:
        """Return the path as an origin; tell when others than the owner may read the file."""
        if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
            permissions = stat.S_IMODE(mode)
            self._add(f"{_shown(path)} can be read by others (mode {permissions:03o}): chmod 600")
        return _shown(path)

    def _add(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def _shown(path: Path) -> str:
    """Return the path as the operator writes it, the home directory as `~`."""
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
    text = str(path)
    return literal("~" + text.removeprefix(home) if text.startswith(home + os.sep) else text)

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
_QUOTES: Final = re.compile("^[\"'`\u2018-\u201f]|[\"'`\u2018-\u201f]$")
_ASSIGNED: Final = re.compile(r"(?:export\s+)?[A-Z_]*(?:TOKEN|KEY|SECRET)[A-Z_]*\s*=")
_SCHEME: Final = re.compile(r"(?i)(?:authorization:|bearer\s)")
_TOKEN_LIMIT: Final = 4096
_READ_AT_MOST: Final = 65_536
_KINDS: Final = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


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
        if parts.port == 0 or " " in parts.netloc:  # asking for the port raises where it is none
            raise ValueError  # noqa: TRY301 - it is as unreadable as the others
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
        """Read all sources again; what is wrong with one is told in words, never raised.

        None is waited for. A file that is empty now is being written: its token of before holds.
        """
        sources, reader = self._sources, _Reader(self._sources, self._read_before())
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

    def _read_before(self) -> dict[str, tuple[str, str]]:
        origins = {OPS: self.presence.ops, INTERNAL: self.presence.internal}
        return {name: (each.reveal(), origins[name] or "") for name, each in self._tokens.items()}

    def headers(self) -> dict[str, str]:
        """Return the headers for every plane and the socket: none, one or both of the tokens."""
        if self.withheld:
            return {}
        return {HEADERS[name]: token.reveal() for name, token in self._tokens.items()}


class _Reader:
    """One reading of the sources; gathers what is wrong with them."""

    def __init__(self, sources: TokenSources, before: Mapping[str, tuple[str, str]]) -> None:
        self._sources = sources
        self._before = before
        """What `token` returned at the reading before, by name."""
        self.problems: list[str] = []

    def token(self, name: str, flag: str | None, file: Path | None) -> tuple[str, str]:
        """Return the token of that name, and where it is from, of the first source with one."""
        text, origin = self._first(name, flag, file)
        value, fault = bare_token(text, name)
        if fault:
            self._add(f"{name} from {origin} {fault}: not used")
            return "", ""
        return value, origin

    def _first(self, name: str, flag: str | None, file: Path | None) -> tuple[str, str]:
        if flag and flag.strip():
            return flag, "command line"
        if (value := self._sources.environ.get(name, "")).strip():
            return value, "environment"
        if file is not None and (found := self._in_file(file, name, required=True)):
            return found
        for env_file in self._sources.env_files:
            if found := self._in_file(env_file, name, required=False):
                return found
        return "", ""

    def _in_file(self, path: Path, name: str, *, required: bool) -> tuple[str, str] | None:
        """Return what a file has for that name, and the path as its origin; None: nothing.

        One that is `required` is the token's own.
        """
        if (read := self._read(path, required=required)) is None:
            return None
        (text, mode), shown = read, _shown(path)
        if not text.strip():
            before = self._before.get(name, ("", ""))
            is_known = before[1] == shown
            if required or is_known:
                self._add(f"{shown} is empty" + is_known * ": the token of before is used")
            return before if is_known else None
        if not (value := text if required else parse_env(text).get(name, "")).strip():
            return None
        if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
            permissions = stat.S_IMODE(mode)
            self._add(f"{shown} can be read by others (mode {permissions:03o}): chmod 600")
        return value, shown

    def _read(self, path: Path, *, required: bool) -> tuple[str, int] | None:
        """Return the file's text and mode, None when it has none; tell what is wrong with it."""
        shown = _shown(path)
        try:
            # O_NONBLOCK: opening a named pipe would wait for a writer.
            fd = os.open(os.path.expanduser(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # noqa: PTH111 - Path's raises where there is no home
            try:
                mode = os.fstat(fd).st_mode
                if not stat.S_ISREG(mode):
                    self._add(f"{shown} is {_KINDS.get(stat.S_IFMT(mode), 'a device')}, not a file")
                    return None
                return os.read(fd, _READ_AT_MOST).decode("utf-8-sig"), mode
            finally:
                os.close(fd)
        except FileNotFoundError:
            if required:
                self._add(f"{shown}: no such file")
        except OSError as error:
            self._add(f"{shown} cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self._add(f"{shown} is not text in UTF-8")
        return None

    def _add(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def bare_token(text: str, name: str) -> tuple[str, str]:
    """Return the token that a source of it means, and why it is none, "" where it is one.

    White space around it, quotes and a line `NAME=token` are understood.
    """
    value = parse_env(text).get(name, text).strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1].strip()
    if _QUOTES.search(value):
        return value, "begins or ends with a quote"
    if _ASSIGNED.match(value):
        return value, f"holds the value of a variable that is not {name}"
    if _SCHEME.match(value):
        return value, "holds “Bearer”, which does not belong to the token"
    if len(value) > _TOKEN_LIMIT:
        return value, f"has {len(value)} characters, too many for a token"
    if value and not _HEADER_VALUE.fullmatch(value):
        return value, "holds characters that no header can carry"
    return value, ""


def _shown(path: Path) -> str:
    """Return the path as the operator writes it, the home directory as `~`."""
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
    text = str(path)
    return literal("~" + text.removeprefix(home) if text.startswith(home + os.sep) else text)

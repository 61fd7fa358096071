# ruff: noqa: N818 - they are named by what happened, as the words on the screen are

"""Why the gateway gave no usable answer, as one tree of exceptions.

Each carries a `Failure`: reason and cure in words for the operator. Neither ever holds a token, and
text of the gateway in them is sanitised and short.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import ssl
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Self

from vp_tui.domain.models import INTERNAL, OPS, Failure, Plane, TokenPresence
from vp_tui.domain.text import clip, fold, literal

if TYPE_CHECKING:
    from collections.abc import Iterator


class Wait(NamedTuple):
    """How long a peer asks to be left alone, as far as that is heeded."""

    seconds: float = 0.0
    words: str = ""
    """With the time of day when it is over; "" where it asks nothing."""


NO_WAIT: Final = Wait()


class GatewayError(Exception):
    """A request that brought nothing usable; `failure` says why and what helps."""

    unauthorized: ClassVar[bool] = False
    wants_token: ClassVar[bool] = False
    is_silence: ClassVar[bool] = False
    may_have_arrived: bool = False
    """The gateway may have done what it was asked all the same; that matters for an order only."""
    wait_s: float = 0.0
    """Seconds in which it asks not to be asked again."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.failure = Failure(
            reason,
            cure,
            unauthorized=self.unauthorized,
            is_silence=self.is_silence,
            wants_token=self.wants_token,
        )


class InvalidTarget(GatewayError, ValueError):
    """The URL or session id is malformed; nothing was sent."""


class ReadOnly(GatewayError):
    """What would change something was asked for where only reading is allowed; nothing was sent."""

    @classmethod
    def refusing(cls, what: str) -> Self:
        """Return the error for an order, `what` in words."""
        return cls(f"read-only: {what} is not sent", "orders need a vp-tui that is not read-only")


class Unreachable(GatewayError):
    """No connection could be made, or it broke before the answer was whole."""

    is_silence = True


class TimedOut(GatewayError):
    """The answer was not whole when the deadline of the request came."""

    is_silence = True
    may_have_arrived = True


class Unauthorized(GatewayError):
    """The plane refused the tokens that were sent, or wants one (401, 403)."""

    unauthorized = True


class TokenRefused(Unauthorized):
    """A token of ours is missing or not accepted."""

    wants_token = True


class NotFound(GatewayError):
    """The endpoint does not exist there (404)."""


class Rejected(GatewayError):
    """The gateway refuses the request as it is (other 4xx), or points elsewhere (3xx)."""


class ServerFailed(GatewayError):
    """The gateway failed by its own account (5xx, or status "unavailable")."""

    may_have_arrived = True


class Unreadable(GatewayError):
    """The answer is not JSON, too long, or not what docs/wire.md says."""

    may_have_arrived = True


_SHOWN: Final = 200
_HTTP_BAD_REQUEST: Final = 400
_HTTP_SERVER_ERROR: Final = 500
_REFUSED: Final = ("connection refused", "is the gateway running there?")
_PROXY_CURE: Final = "mend the proxy that the environment names, or name the gateway in NO_PROXY"

_CA_CURE: Final = "name the CA that signed it with --ca-file"
_OTHER_HOST: Final = "its certificate is for another host", "give the URL with the name it is for"
_CERTIFICATE: Final = {
    9: ("its certificate is not valid yet", "is this machine's clock right?"),
    10: ("its certificate has expired", "have it renewed; or is this machine's clock off?"),
    18: ("its certificate is signed by nobody but itself", _CA_CURE),
    19: ("its certificate is signed by an authority that is unknown here", _CA_CURE),
    20: ("its certificate is signed by an authority that is unknown here", _CA_CURE),
    62: _OTHER_HOST,
    64: _OTHER_HOST,
}
"""Reason and cure by OpenSSL's code for what is wrong with a certificate."""
_OLD_TLS: Final = "it speaks no newer TLS than 1.1", "have it offer TLS 1.2 or 1.3"
_TLS: Final = {"TLSV1_ALERT_PROTOCOL_VERSION": _OLD_TLS, "UNSUPPORTED_PROTOCOL": _OLD_TLS}
"""The same by OpenSSL's name of another failure."""


class Asked(NamedTuple):
    """What was asked, as far as the words about a failure need it."""

    path: str
    where: str
    """host:port"""
    plane: Plane | None = None
    """None for an endpoint that wants no token."""
    tokens: TokenPresence = TokenPresence()
    withheld: bool = False
    """Tokens were there and not sent, because the link is not safe."""
    proxy: str = ""
    """host:port of the proxy that leads there, "" for none."""


def refusal(
    asked: Asked, status: int, body: bytes, location: str = "", wait: Wait = NO_WAIT
) -> GatewayError:
    """Return the error for an answer whose status is not 2xx; `body` may be cut off."""
    kind: type[GatewayError] = Rejected
    detail = wait.words or _detail(body)
    match status:
        case 401:
            return _unauthorized(asked)
        case 403:
            kind = Unauthorized
            cure = "this gateway's role or a proxy forbids it: ask another gateway"
        case 404:
            kind, cure = NotFound, f"is {asked.where} the gateway's URL?"
        case 407:
            kind, cure = Unreachable, _PROXY_CURE
            detail = f"{_proxy(asked.proxy)} wants a login"
        case 429:
            cure = "it is asked too often: poll slower, or see who else asks"
        case _ if status >= _HTTP_SERVER_ERROR:
            kind, cure = ServerFailed, "see the gateway's own log"
        case _ if status >= _HTTP_BAD_REQUEST:
            cure = "the gateway refuses the request itself: check the settings it names"
        case _:
            detail = redirect_in_words(location)
            cure = "redirects are not followed: give the gateway's final URL"
            if not location:
                cure = "no answer of a gateway: is a cache or a proxy in between?"
    said = f"{status} from {asked.path}{': ' if detail else ''}{detail}"
    error = kind(said, "leave it alone until then" if wait.seconds else cure)
    error.wait_s = wait.seconds
    return error


def redirect_in_words(location: str) -> str:
    """Return where an answer points, without the query, which may hold a secret; "" for nowhere."""
    target = clip(literal(location.partition("?")[0]), _SHOWN)
    return f"redirects to {target}" if target else ""


def _detail(body: bytes) -> str:
    """Return what an error body says, in one short sanitised line.

    `detail` may be a string, the list of a 422 or an object with code and message; a G2 also says
    `error`, an object with the fields of a 422 (docs/wire.md, section 15). Plain text is taken as
    it is, HTML only named.
    """
    text = body.decode(errors="replace").strip()
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        said = "a web page" if text.startswith("<") else text
    else:
        told = answer if isinstance(answer, dict) else {}
        said = _sentence(told.get("detail", told.get("error")))
    return clip(literal(fold(said[: 4 * _SHOWN])), _SHOWN)


def _sentence(detail: object) -> str:
    """Return a `detail` as a sentence; the `input` of a 422 is left out, it echoes the request."""
    if isinstance(detail, str):
        return detail
    if isinstance(detail, list):
        return "; ".join(_sentence(item) for item in detail[:3])
    if not isinstance(detail, dict):
        return ""
    extra = detail.get("extra")
    if isinstance(extra, dict) and extra.get("fields"):
        return _sentence(extra["fields"])
    place = detail.get("loc")
    named = ".".join(map(str, place)) if isinstance(place, list) else detail.get("code")
    said = detail.get("msg") or detail.get("message")
    return ": ".join(part for part in (named, said) if isinstance(part, str))


def _unauthorized(asked: Asked) -> Unauthorized:
    if asked.withheld:
        return Unauthorized(
            f"no token was sent: plain http to {asked.where}",
            "use an https URL, or allow insecure links",
        )
    if asked.plane is None:
        return Unauthorized(
            f"{asked.path} wants a login that is not the gateway's", "is a proxy in front of it?"
        )
    is_session, ops = asked.plane is Plane.SESSION, asked.tokens.ops
    name, origin = (INTERNAL, asked.tokens.internal) if is_session else (OPS, ops)
    if origin:
        return TokenRefused(f"{name} from {origin} was rejected (expired?)", f"renew {name}")
    if is_session and ops:
        return TokenRefused(
            f"{OPS} from {ops} is not accepted on the session plane", f"set {INTERNAL}"
        )
    for problem in asked.tokens.problems:
        if problem.startswith(f"{name} "):  # there is one, and why it is not used
            return TokenRefused(problem, f"mend {name}")
    return TokenRefused(f"{asked.path} wants a token and there is none", f"set {name}")


def unreachable(error: BaseException, where: str, proxy: str = "") -> Unreachable:
    """Return why no connection to `where` could be made or kept, from its exception.

    Both are host:port. Where a `proxy` leads there, it is what was connected to: only what is wrong
    with TLS is then the gateway's.
    """
    known = [found for cause in _causes(error) if (found := _explain(cause))]
    reason, cure = known[0] if known else (_first_line(error), "is this the gateway?")
    if proxy and not any(isinstance(cause, ssl.SSLError) for cause in _causes(error)):
        return Unreachable(f"{where} through {_proxy(proxy)}: {reason}", _PROXY_CURE)
    return Unreachable(f"{where}: {reason}", cure)


def _proxy(where: str) -> str:
    return f"the proxy {where}".rstrip()


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that led to it, those that a group holds included."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _causes(member)
    if (cause := error.__cause__ or error.__context__) is not None:
        yield from _causes(cause)


def _explain(error: BaseException) -> tuple[str, str] | None:
    found = None
    match error:
        case ssl.SSLCertVerificationError():
            said = clip(literal(error.verify_message), _SHOWN)
            usual = f"its certificate is not trusted: {said}", _CA_CURE
            found = _CERTIFICATE.get(getattr(error, "verify_code", 0), usual)
        case ssl.SSLError(reason=str(why)) if why in _TLS:
            found = _TLS[why]
        case ssl.SSLError():
            reason = f"it does not speak TLS as asked: {_first_line(error)}"
            found = reason, "http instead of https?"
        case socket.gaierror():
            found = "the host name is not known", "check the URL and the name service"
        case ConnectionRefusedError():
            found = _REFUSED
        case UnicodeError():
            found = "no host can have that name", "check the URL"
        case OSError(errno=int(number)):
            found = os.strerror(number), "check the network, VPN and firewall"
        case OSError() if f"[Errno {errno.ECONNREFUSED}]" in str(error):
            # asyncio joins the refusals of several addresses into one text.
            found = _REFUSED
    return found


def _first_line(error: BaseException) -> str:
    return clip(literal(fold(str(error))) or type(error).__name__, _SHOWN)

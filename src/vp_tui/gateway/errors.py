# ruff: noqa: N818 - they are named by what happened, as the words on the screen are

"""Why the gateway gave no usable answer, as one tree of exceptions.

    GatewayError
    ├── InvalidTarget   a URL or session id that must not be asked for
    ├── ReadOnly        an order from where nothing may be changed
    ├── Unreachable     no connection: refused, unknown host, TLS, broken off
    ├── TimedOut        no whole answer before the deadline
    ├── Unauthorized    401 or 403
    ├── NotFound        404
    ├── Rejected        any other 3xx or 4xx
    ├── ServerFailed    5xx, or a 200 that says "unavailable"
    └── Unreadable      an answer that is not what docs/wire.md says

Each carries a `Failure`: reason and cure in words for the operator. Neither ever holds a token, and
text of the gateway in them is sanitised and short.
"""

from __future__ import annotations

from typing import ClassVar, Self

from vp_tui.domain.models import Failure


class GatewayError(Exception):
    """A request that brought nothing usable; `failure` says why and what helps."""

    unauthorized: ClassVar[bool] = False
    is_silence: ClassVar[bool] = False
    may_have_arrived: bool = False
    """The gateway may have done what it was asked all the same; that matters for an order only."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.failure = Failure(
            reason, cure, unauthorized=self.unauthorized, is_silence=self.is_silence
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

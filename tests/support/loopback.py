"""A loopback server that answers as a test says, and notes what it was asked."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Loopback:
    """Gives `body` with `status` to every request but those whose path has an answer of its own."""

    def __init__(self, body: bytes = b"") -> None:
        self.status = 200
        self.body = body
        self.answers: dict[str, tuple[int, bytes]] = {}
        """Status and body by the path, without the query."""
        self.headers: dict[str, str] = {}
        """Of every answer, besides its length and date."""
        self.asked: list[tuple[str, str | None]] = []
        """Each path with its query, and the ops token that came along."""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str, body: object, status: int = 200) -> None:
        """Give `path` an answer of its own."""
        self.answers[path] = (status, json.dumps(body).encode())

    @contextmanager
    def serving(self) -> Iterator[None]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        thread.start()
        yield
        self.server.shutdown()
        thread.join()
        self.server.server_close()

    def _handler(loopback) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler's
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                loopback.asked.append((self.path, self.headers["x-ua-ops-token"]))
                usual = (loopback.status, loopback.body)
                status, body = loopback.answers.get(self.path.partition("?")[0], usual)
                self.send_response_only(status)
                self.send_header("date", _made_at(body))
                self.send_header("content-length", str(len(body)))
                for name, told in loopback.headers.items():
                    self.send_header(name, told)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
                return

        return Handler


def _made_at(body: bytes) -> str:
    """Return the date of an answer: a recorded one is as old as its own stamp says."""
    made_at = datetime.now(UTC)
    with suppress(ValueError, TypeError, KeyError):
        made_at = datetime.fromisoformat(json.loads(body)["generated_at"])
    return format_datetime(made_at.astimezone(UTC), usegmt=True)

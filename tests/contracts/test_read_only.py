"""What could change something on the gateway is in one place, and that is made in one place.

In read-only mode that place makes nothing (tests/cli/test_wiring.py), the reading client refuses
all but GET and HEAD (tests/gateway/test_client.py) and a watched socket refuses to send
(tests/gateway/test_websocket.py): so no code path can send an order. The one socket that sends, a
probe's (tests/gateway/test_orders_probe.py), is opened by orders alone.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tests.support.house import nodes

if TYPE_CHECKING:
    from collections.abc import Callable

ORDERS: Final = "gateway/orders.py"
CHANGING: Final = {"POST", "PUT", "PATCH", "DELETE"}


def files_with(found: Callable[[ast.AST], bool]) -> set[str]:
    return {
        name
        for name, its_nodes in nodes().items()
        if not name.startswith("simulator/")  # that is a gateway itself, and gets orders
        and any(map(found, its_nodes))
    }


def is_import_of(library: str) -> Callable[[ast.AST], bool]:
    def found(node: ast.AST) -> bool:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        return any(name.partition(".")[0] == library for name in names)

    return found


def is_call_of(name: str) -> Callable[[ast.AST], bool]:
    def found(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        called = node.func
        return name in {getattr(called, "id", None), getattr(called, "attr", None)}

    return found


def test_only_orders_name_a_method_that_changes_something() -> None:
    def is_changing(node: ast.AST) -> bool:
        return isinstance(node, ast.Constant) and node.value in CHANGING

    assert files_with(is_changing) == {ORDERS}


def test_only_orders_ask_for_a_client_that_may() -> None:
    def is_asking(node: ast.AST) -> bool:
        if not isinstance(node, ast.keyword) or node.arg != "may_order":
            return False
        return not (isinstance(node.value, ast.Constant) and node.value.value is False)

    assert files_with(is_asking) == {ORDERS}


def test_clients_and_sockets_are_made_where_they_are_kept_from_sending() -> None:
    assert files_with(is_call_of("AsyncClient")) == {"gateway/transport.py"}
    assert files_with(is_import_of("websockets")) == {"gateway/websocket.py", ORDERS}
    for library in ("aiohttp", "requests", "urllib3", "http", "socketserver"):
        assert files_with(is_import_of(library)) == set()
    for shortcut in ("Client", "post", "put", "patch", "delete", "urlopen"):
        assert files_with(is_call_of(shortcut)) == set()


def test_orders_are_made_in_one_place() -> None:
    assert files_with(is_call_of("Orders")) == {"cli/workers.py"}


def test_the_one_socket_that_sends_is_opened_by_orders_alone() -> None:
    def is_overriding(node: ast.AST) -> bool:
        return isinstance(node, ast.AsyncFunctionDef) and node.name == "send"

    assert files_with(is_overriding) == {"gateway/websocket.py", ORDERS}
    assert files_with(is_call_of("ExecutingConnection")) == set()
    assert files_with(is_call_of("opening")) == {"gateway/websocket.py", ORDERS}

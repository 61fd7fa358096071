"""The schema says of the file what reading it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vp_tui.cli.config.settings import SETTINGS
from vp_tui.cli.show import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.command import Run


def _leaves(table: dict[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    assert table["additionalProperties"] is False
    for key, inner in table["properties"].items():
        if "properties" in inner:
            yield from _leaves(inner, (*at, key))
        else:
            assert inner["description"], key
            yield (*at, key)


def test_the_schema_knows_every_key_of_the_file_and_no_token() -> None:
    told = schema()
    gateway = told["properties"].pop("gateways")["additionalProperties"]
    assert gateway["required"] == ["url"]
    assert {*_leaves(told), *_leaves(gateway)} == {
        ("default_gateway",), *(s.path for s in SETTINGS.values() if s.in_file),
    }  # fmt: skip
    assert ("ops_token",) not in set(_leaves(gateway))
    keys = gateway["properties"]
    assert "default" not in keys["url"], "each gateway has its own"
    assert keys["interval"] == {
        "type": "number", "minimum": 0.5, "default": 2.0,
        "description": "seconds between two polls of the metrics, 0.5 or more",
    }  # fmt: skip
    assert keys["mission_limit"] | {"type": "integer", "maximum": 500} == keys["mission_limit"]
    assert keys["stage"]["enum"][0] == "shadow"
    assert keys["brake"]["properties"]["auto_revert"]["default"] == "dry-run"
    assert "default" not in keys["evidence"], "there it would be beside the file"
    assert keys["brake"]["properties"]["apply"]["items"] == {"type": "string"}


def test_config_schema_prints_it(vp_tui: Run) -> None:
    code, out, err = vp_tui("config", "schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == schema()
    code, _, err = vp_tui("--vp-id", "V", "config", "schema")
    assert code == 2
    assert "--vp-id has no effect on this command" in err

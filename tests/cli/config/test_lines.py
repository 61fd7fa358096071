"""Where the keys of a file stand: nothing but a key or a header is taken for one."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from vp_tui.cli.config.file import ConfigFile, key_lines
from vp_tui.cli.config.kinds import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

A = '[gateways.a]\nurl = "http://a"\n'


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ('[a]\nx = """\n[b]\ny = 1\n"""\n\n[b]\ny = 2\n', ("b",), 7),
        ('[a]\nx = """\n[b]\ny = 1\n"""\n\n[b]\ny = 2\n', ("b", "y"), 8),
        ("x = '''\n[b]\ny = 1\n'''\n[b]\ny = 2\n", ("b", "y"), 6),
        ('x = """\n\\"""\n[b]\n"""\n[b]\n', ("b",), 5),
        ('x = """\n\\\\"""\n[b]\n', ("b",), 3),
        ('x = """a"""""\n[b]\nx = """"""\nc = 1\n', ("b", "c"), 4),
        ("x = '''a\\'''''\n[b]\nx = ''''''\nc = 1\n", ("b", "c"), 4),
        ("x = '''\n\"\"\"\n'''\ny = \"\"\"\n'''\n[b]\n\"\"\"\n[b]\n", ("b",), 8),
        ("x = \"'''\"\n[b]\n", ("b",), 2),
        ('x = ["""\n]\n[b]\n""", "]"]\n[b]\n', ("b",), 5),
        ('x = "y = 1"\ny = 1\n', ("y",), 2),
        ('x = "a \\" # "\ny = 1 # [b]\n# [b]\n  # z = 1\nz = 1\n[b]\n', ("b",), 6),
        ('x = "a \\" # "\ny = 1 # [b]\n# [b]\n  # z = 1\nz = 1\n[b]\n', ("z",), 5),
        ('# """\n[b]\n# """\n', ("b",), 2),
        ('["b c"."d]"]\n"e = f" = 1\n', ("b c", "d]", "e = f"), 2),
        ("[b.'c.d']\n'e\"' = 1\n", ("b", "c.d", 'e"'), 2),
        ('"\\u001b\\"" = 1\n', ('\x1b"',), 1),
        ('  [ b . c ]  # why\n  d . e  = 1\n\td."f"=2\n', ("b", "c", "d", "f"), 3),
        ('  [ b . c ]  # why\n  d . e  = 1\n\td."f"=2\n', ("b", "c", "d"), 2),
        ("[[b.c]]\nd = 1\n[[b.c]]\ne = 1\n[b.c.f]\ng = 1\n[h]\n", ("b", "c", "e"), 4),
        ("[[b.c]]\nd = 1\n[[b.c]]\ne = 1\n[b.c.f]\ng = 1\n[h]\n", ("b", "c", "f", "g"), 6),
        ("[[b.c]]\nd = 1\n[[b.c]]\ne = 1\n[b.c.f]\ng = 1\n[h]\n", ("h",), 7),
        ("b = { c = 1, d = { e = 1 }, f = 1 }\nc = 2\nf = 2\n", ("f",), 3),
        ("b = { c = 1, d = { e = 1 }, f = 1 }\nc = 2\nf = 2\n", ("b", "f"), 1),
        ("b = { c = 1, d = { e = 1 }, f = 1 }\nc = 2\nf = 2\n", ("b", "d", "e"), 1),
        ('b.c = 1\n[d]\nx = { y = "}", c.z = 1 }\nc = 1\n', ("d", "c"), 4),
        ('b = [\n  { c = 1 },\n  { d = """\n""", e = [{}] },\n{ f = 1 }]\ng = 1\n', ("b", "f"), 5),
        ('b = [\n  { c = 1 },\n  { d = """\n""", e = [{}] },\n{ f = 1 }]\ng = 1\n', ("g",), 6),
        ('b = [\n["c"],\n[["c"]],\n[["c"], []],\n]\nd = 1\n["c"]\n', ("c",), 7),
        ('b = [\n["c"],\n[["c"]],\n[["c"], []],\n]\nd = 1\n["c"]\n', ("d",), 6),
        ("b = 1.5\nc = 1979-05-27 07:32:00 # d = 1\nd = -inf\n", ("d",), 3),
        ("# \u2028 \x85\nb = 1\n", ("b",), 2),
    ],
)
def test_a_key_is_found_where_it_stands(text: str, key: tuple[str, ...], line: int) -> None:
    assert tomllib.loads(text)
    assert key_lines(text)[key] == line


@pytest.mark.parametrize(
    "text",
    [
        'x = """\n[b]\ny = 1\n"""\n',
        "x = '''\n[b]\ny = 1\n'''\n",
        'x = "[b] y = 1" # y = 1\n',
        'x = [\n["b"],\n["y", "= 1"],\n]\n',
    ],
)
def test_what_only_looks_like_a_key_is_none(text: str) -> None:
    assert key_lines(text) == {("x",): 1}


def test_every_key_that_toml_knows_is_found() -> None:
    text = '''
[gateways.a]
url = "http://a" # "
note = """
[gateways.b]
url = 1 """
brake = { apply = ["x", "=", "}"], env_file = "# " }
gateways."b.c" = [[{ d = 1 }], { d.e = [] }]
[gateways."b c"]
[[gateways.a.actions]]
name = ''
'''
    assert _keys((), tomllib.loads(text)) == set(key_lines(text))


def _keys(at: tuple[str, ...], value: object) -> set[tuple[str, ...]]:
    if isinstance(value, list):
        return set().union(*(_keys(at, each) for each in value))
    if isinstance(value, dict):
        named = {(*at, name): each for name, each in value.items()}
        return set(named).union(*(_keys(name, each) for name, each in named.items()))
    return set()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f'{A}profile = """\n\n[gateways.b]\nurl = 5\n"""\n\n[gateways.b]\n', 9,
         "[gateways.b] has no url"),
        (f"{A}vp_id = '''\nread_only = 1\n'''\nread_only = 1\n", 6, "gateways.a.read_only must be"),
        (f"{A}[gateways.b]\nurl = ''\nprobe = {{ url = 1 }}\n", 5, "unknown key “url”"),
        (f"{A}[[gateways.a.brake]]\n", 3, "gateways.a.brake must be a table"),
        (f"{A}# actions\n[[gateways.a.actions]]\n", 4, "unknown key “actions”"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_on_its_own_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    file = tmp_path / "config.toml"
    with pytest.raises(ConfigError) as caught:
        ConfigFile(file, text)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert words in str(caught.value)

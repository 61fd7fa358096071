"""Reading an env file, and changing one value of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vp_tui.domain.lane.switches import assignments, parse_env, with_value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=v", "v"),
        ("export K=v", "v"),
        ("  K = v  # why", "v"),
        ("K=v#w", "v#w"),
        ("K=#w", ""),
        ("K='a # b' # c", "a # b"),
        ('K="a \\"b\\" \\n\\x" # c', 'a "b" \nx'),
        ("K='open", "'open"),
        ("K=a b", "a b"),
        ("K=", ""),
        ("\ufeffK=v\r", "v"),
        ("K=old\nK=new", "new"),
        ("# K=v\nnonsense\n=x\nK=v", "v"),
    ],
)
def test_a_line_of_an_env_file(line: str, value: str) -> None:
    assert parse_env(line + "\r\nOTHER=1\n") == {"K": value, "OTHER": "1"}


@given(st.text())
def test_any_env_file_is_read(text: str) -> None:
    assert all(key.isidentifier() for key in parse_env(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("K='a\nL=0\nb' # c\nL=1\n", {"K": "a\nL=0\nb", "L": "1"}),
        ('K="a\r\nb"\r\nL=1', {"K": "a\r\nb", "L": "1"}),
        ("K='it\n# don't\nL=1\n", {"K": "'it", "L": "1"}),
        ("K=it's\nL='1'", {"K": "it's", "L": "1"}),
        ('K="1"x\nL=1', {"K": "1", "L": "1"}),
        ("K=1\rL=2\r", {"K": "1", "L": "2"}),
    ],
)
def test_a_value_over_several_lines_hides_what_stands_in_it(
    text: str, expected: dict[str, str]
) -> None:
    assert parse_env(text) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"K=1\n"),
        (b"A=2\n", b"A=2\nK=1\n"),
        (b"A=2", b"A=2\nK=1"),
        (b"A=2\r\nB=3\r\n", b"A=2\r\nB=3\r\nK=1\r\n"),
        (b"A=2\r\nB=3", b"A=2\r\nB=3\r\nK=1"),
        (b"K=0\n", b"K=1\n"),
        (b"K=0", b"K=1"),
        (b"K=0\r\nA=2\r\n", b"K=1\r\nA=2\r\n"),
        (b"  export K = '0'  # ask Ana\nA=2\n", b"  export K = 1  # ask Ana\nA=2\n"),
        (b"K=\nA=2\n", b"K=1\nA=2\n"),
        (b"K='0'x # c\nA=2\n", b"K=1 # c\nA=2\n"),
        (b"K='0'#c\n", b"K=1 #c\n"),
        (b"K=#off\n", b"K=1 #off\n"),
        (b"K=0\nK=0 # last\n", b"K=0\nK=1 # last\n"),
        (b"#K=0\n# K=0\nXK=0\nK_=0\n", b"#K=0\n# K=0\nXK=0\nK_=0\nK=1\n"),
        (b"A='x\nK=0\ny'\n", b"A='x\nK=0\ny'\nK=1\n"),
        (b"\xef\xbb\xbfK=0\n\xff\xfe=\xe9\n", b"\xef\xbb\xbfK=1\n\xff\xfe=\xe9\n"),
    ],
)
def test_one_value_changes_and_every_other_byte_stays(before: bytes, after: bytes) -> None:
    assert with_value(before, "K", "1") == after


_LINES = st.sampled_from([b"K", b"A", b"=", b"'", b'"', b"#", b" ", b"\n", b"\r\n", b"0", b"\xff"])


@settings(max_examples=500)
@given(st.lists(_LINES, max_size=30).map(b"".join))
def test_what_was_set_is_read_back_and_no_other_value_changes(data: bytes) -> None:
    values = {found.name: found.value for found in assignments(data)}
    changed = with_value(data, "K", "1")
    after = {found.name: found.value for found in assignments(changed)}
    assert after["K"] == "1"
    assert {**values, "K": "1"} == after

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vp_tui.domain.models import INTERNAL, OPS, Plane, TokenPresence
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.errors import Asked, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCAL = "http://127.0.0.1:8002"
MATRIX = json.loads((Path(__file__).parents[1] / "wire" / "a10_auth_matrix.json").read_text())
OPS_SECRET, INTERNAL_SECRET = "ops-secret", "internal-secret"


def read(sources: TokenSources, url: str = LOCAL, **options: bool) -> Credentials:
    credentials = Credentials(sources, base_url=url, **options)
    credentials.read()
    return credentials


def write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def admits(plane: str, headers: Mapping[str, str], *, generation: int = 1) -> bool:
    """Tell whether a gateway with both tokens set admits a request: docs/wire.md, section 2."""
    ops, internal = headers.get("x-ua-ops-token"), headers.get("x-ua-internal-token")
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    if plane in {"ops", "opsmetrics"}:
        return (bearer or ops) == OPS_SECRET
    if plane == "session":
        accepted = {INTERNAL_SECRET} | ({OPS_SECRET} if generation == 2 else set())
        return (bearer or internal or ops) in accepted
    return True


HEADER_SETS = {
    "none": {},
    "wrong_ops": {"x-ua-ops-token": "wrong"},
    "ops_hdr_ops": {"x-ua-ops-token": OPS_SECRET},
    "bearer_ops": {"authorization": f"Bearer {OPS_SECRET}"},
    "bearer_internal": {"authorization": f"Bearer {INTERNAL_SECRET}"},
    "int_hdr_internal": {"x-ua-internal-token": INTERNAL_SECRET},
    "ops_hdr_internal": {"x-ua-ops-token": INTERNAL_SECRET},
    "both_proper": {"x-ua-ops-token": OPS_SECRET, "x-ua-internal-token": INTERNAL_SECRET},
    "bearer_internal_plus_ops_hdr": {
        "authorization": f"Bearer {INTERNAL_SECRET}",
        "x-ua-ops-token": OPS_SECRET,
    },
    "bearer_ops_plus_int_hdr": {
        "authorization": f"Bearer {OPS_SECRET}",
        "x-ua-internal-token": INTERNAL_SECRET,
    },
}


@pytest.mark.parametrize("case", MATRIX)
def test_the_model_of_the_planes_is_the_recorded_one(case: str) -> None:
    plane, _, headers = case.partition(" / ")
    assert admits(plane, HEADER_SETS[headers]) == (MATRIX[case][0] == 200)


@pytest.mark.parametrize(
    ("environ", "admitted"),
    [
        ({}, {1: set(), 2: set()}),
        ({OPS: OPS_SECRET}, {1: {"ops"}, 2: {"ops", "session"}}),
        ({INTERNAL: INTERNAL_SECRET}, {1: {"session"}, 2: {"session"}}),
        (
            {OPS: OPS_SECRET, INTERNAL: INTERNAL_SECRET},
            {1: {"ops", "session"}, 2: {"ops", "session"}},
        ),
    ],
)
def test_one_header_set_opens_every_plane_it_can(
    environ: dict[str, str], admitted: dict[int, set[str]]
) -> None:
    headers = read(TokenSources(environ=environ)).headers()
    assert "authorization" not in {name.lower() for name in headers}
    for generation, planes in admitted.items():
        found = {p for p in ("ops", "session") if admits(p, headers, generation=generation)}
        assert found == planes


def test_nothing_is_known_before_the_first_reading() -> None:
    credentials = Credentials(TokenSources(environ={OPS: "x"}), base_url=LOCAL)
    assert (credentials.presence, credentials.headers()) == (TokenPresence(), {})


def test_the_first_source_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = write(tmp_path / "ops", b"from-file\n")
    env = write(tmp_path / ".env", b"UA_OPS_TOKEN=from-env\nUA_INTERNAL_API_TOKEN='i'\n")
    everything = TokenSources(
        ops_file=file, env_files=(env,), environ={OPS: "from-environ"}, ops_flag="from-flag"
    )
    found = read(everything)
    assert found.presence == TokenPresence("command line", "~/.env")
    assert found.headers() == {"x-ua-ops-token": "from-flag", "x-ua-internal-token": "i"}
    environ = TokenSources(ops_file=file, environ={OPS: " from-environ\n"}, ops_flag=" ")
    assert read(environ).headers()["x-ua-ops-token"] == "from-environ"
    assert read(environ).presence.ops == "environment"
    files = TokenSources(ops_file=Path("~/ops"), env_files=(env,), environ={OPS: ""})
    assert read(files).presence == TokenPresence("~/ops", "~/.env")
    assert read(files).headers()["x-ua-ops-token"] == "from-file"


@pytest.mark.parametrize(
    ("content", "mode", "problem", "used"),
    [
        (b"token", 0o644, "can be read by others (mode 644): chmod 600", True),
        (b"token", 0o640, "can be read by others (mode 640): chmod 600", True),
        (b" \n", 0o600, "is empty", False),
        (b"\xff\xfe", 0o600, "is not text in UTF-8", False),
        (b'"half', 0o600, "UA_OPS_TOKEN from", False),
        (b'"half', 0o600, "begins or ends with a quote: not used", False),
        ("“curly”".encode(), 0o600, "begins or ends with a quote: not used", False),
        (b"Bearer two", 0o600, "holds “Bearer”, which does not belong to the token", False),
        (b"OPS_TOKEN=two", 0o600, "holds the value of a variable that is not UA_OPS_TOKEN", False),
        (b"t" * 5000, 0o600, "has 5000 characters, too many for a token: not used", False),
        (b"two\nlines", 0o600, "holds characters that no header can carry: not used", False),
        ("schlüssel".encode(), 0o600, "holds characters that no header can carry", False),
        (b"esc\x1b", 0o600, "holds characters that no header can carry", False),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    tmp_path: Path, content: bytes, mode: int, problem: str, *, used: bool
) -> None:
    found = read(TokenSources(ops_file=write(tmp_path / "ops", content, mode)))
    assert [text for text in found.presence.problems if problem in text]
    assert (found.presence.ops is not None) is used
    assert bool(found.headers()) is used
    asked = Asked("/api/v1/ops/metrics/vp", "here", Plane.OPS, found.presence)
    is_named = problem in refusal(asked, 401, b"").failure.reason
    assert is_named is ("not used" in "".join(found.presence.problems))
    assert not any("esc" in text or "two" in text for text in found.presence.problems)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    found = read(TokenSources(ops_file=tmp_path / "none", internal_file=tmp_path))
    missing, folder = found.presence.problems
    assert missing.endswith("no such file")
    assert folder.endswith("is a directory, not a file")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfabc=\r\n",
        b"  'abc='\t\n",
        b"# for vp-tui\nexport UA_OPS_TOKEN=abc=\n",
        b'UA_INTERNAL_API_TOKEN=other\r\nUA_OPS_TOKEN="abc="  \r\n',
    ],
)
def test_a_token_is_understood_as_files_hold_it(tmp_path: Path, content: bytes) -> None:
    file = write(tmp_path / "ops", content)
    inside = {OPS: content.decode("utf-8-sig")} if b"#" not in content else {OPS: "abc="}
    for sources in (TokenSources(ops_file=file), TokenSources(environ=inside)):
        found = read(sources)
        assert found.headers() == {"x-ua-ops-token": "abc="}
        assert found.presence.problems == ()


def test_what_is_no_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    sources = TokenSources(
        ops_file=pipe, internal_file=Path("/dev/null"), env_files=(tmp_path, pipe, loop)
    )
    problems = read(sources).presence.problems
    assert problems == (
        f"{pipe} is a pipe, not a file",
        f"{tmp_path} is a directory, not a file",
        f"{loop} cannot be read: Too many levels of symbolic links",
        "/dev/null is a device, not a file",
    )


def test_a_token_outlasts_a_file_that_is_just_being_written(tmp_path: Path) -> None:
    file, env = write(tmp_path / "ops", b"one"), write(tmp_path / ".env", b"UA_OPS_TOKEN=two")
    for sources in (TokenSources(ops_file=file), TokenSources(env_files=(env,))):
        found = read(sources)
        before, origin = found.headers(), found.presence.ops
        for path in (file, env):
            path.write_bytes(b" \n")
        for _ in range(2):
            (problem,) = found.read().problems
            assert problem == f"{origin} is empty: the token of before is used"
            assert (found.headers(), found.presence.ops) == (before, origin)
        file.unlink()
        env.write_bytes(b"UA_OTHER=1")
        found.read()
        assert found.headers() == {}
        write(env, b"UA_OPS_TOKEN=two")


def test_a_missing_env_file_is_no_problem(tmp_path: Path) -> None:
    assert read(TokenSources(env_files=(tmp_path / ".env",))).presence == TokenPresence()


@pytest.mark.parametrize(
    ("url", "options", "sent"),
    [
        ("http://gateway.example:8002", {}, False),
        ("http://gateway.example:8002", {"allow_insecure": True}, True),
        ("https://gateway.example", {}, True),
        ("http://localhost:8002", {}, True),
        ("http://[::1]:8002", {}, True),
    ],
)
def test_tokens_do_not_travel_in_the_open(
    url: str, options: dict[str, bool], *, sent: bool
) -> None:
    found = read(TokenSources(environ={OPS: "x"}), url, **options)
    assert bool(found.headers()) is sent
    assert found.withheld is not sent
    assert bool(found.presence.problems) is not sent
    assert found.presence.ops == "environment"


def test_without_tokens_an_open_link_is_no_problem() -> None:
    assert read(TokenSources(), "http://gateway.example").presence == TokenPresence()


def test_the_generation_grows_when_values_change() -> None:
    environ: dict[str, str] = {OPS: "one"}
    found = read(TokenSources(environ=environ))
    generations = [found.generation]
    for value in ("one", "two", "two"):
        environ[OPS] = value
        found.read()
        generations.append(found.generation)
    assert generations == [1, 1, 2, 2]
    assert found.headers() == {"x-ua-ops-token": "two"}


def test_no_repr_shows_a_value() -> None:
    sources = TokenSources(environ={OPS: "hush-1"}, ops_flag="hush-2", internal_flag="hush-3")
    found = read(sources)
    assert "hush" not in repr((sources, found, vars(found), found.presence))

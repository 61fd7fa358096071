"""`vp-tui bundle`: what a bug report needs, in one file, and no token."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Final

from tests.support.virtual_time import BEGAN

from vp_tui.cli.main import main
from vp_tui.gateway.credentials import gateway_id
from vp_tui.storage.places import places
from vp_tui.storage.recording_files import Header, RecordingFile

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOBODY: Final = "http://127.0.0.1:1"
TOKEN: Final = "canary-token-of-ours"


def test_it_holds_doctor_recordings_and_crashes_and_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("UA_OPS_TOKEN", TOKEN)
    own = places({"XDG_STATE_HOME": str(tmp_path / "state")})
    header = Header(gateway_id(NOBODY), "vp.coder.primary", BEGAN, 0.0, 1, 0, {"told": TOKEN})
    RecordingFile(own.recordings, header, BEGAN).close()
    other = header._replace(vp_id="vp.other")
    RecordingFile(own.recordings, other, BEGAN).close()
    (own.state / "crash-20261123.txt").write_text(f"it said {TOKEN}")
    assert main(["bundle", "--gateway-url", NOBODY, "bug.tar.gz"]) == 0
    told = capsys.readouterr()
    assert told.out == "bug.tar.gz\n"
    assert "look through it" in told.err
    target = tmp_path / "bug.tar.gz"
    assert target.stat().st_mode & 0o777 == 0o600
    with tarfile.open(target) as archive:
        names = archive.getnames()
        contents = [file.read() for name in names if (file := archive.extractfile(name))]
    assert [name.partition("/")[0] for name in names] == ["doctor.json", "recordings", "vp-tui"]
    assert not [content for content in contents if TOKEN.encode() in content]
    assert main(["bundle", "--gateway-url", NOBODY, "bug.tar.gz"]) == 2
    assert "it is there already" in capsys.readouterr().err

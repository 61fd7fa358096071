"""The file of the open window: what survives, and who wins when two change it."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support.builders import NOW
from tests.support.rollout import window

from vp_tui.domain.rollout.verdicts import Verdict, Waiver
from vp_tui.domain.rollout.windows import Window, closed
from vp_tui.domain.vocabulary import Traffic
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.windows import KEPT, change_windows, keep_window, read_windows, windows_file

if TYPE_CHECKING:
    from pathlib import Path

LATER = NOW + timedelta(minutes=10)
MINE = window(label="Mine", anchor=frozenset({"b", "a"}))
THEIRS = window(label="Theirs", opened_at=LATER)
INJECTED = window(label="Injected", source=Traffic.FAULT_INJECTED)
WAIVER = Waiver("G4", "bo@desk", "by hand", NOW, Verdict.INCONCLUSIVE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "windows" / "w.json"


def edited(before: Window) -> Window:
    return before._replace(scope="another scope")


def test_a_window_is_there_as_it_was(path: Path) -> None:
    assert keep_window(path, MINE, None) == (MINE,)
    assert read_windows(path) == (MINE,)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "watched",
    [
        MINE,
        window(anchor=None),
        window(decision="HOLD_SHADOW"),
        INJECTED._replace(closed_at=LATER),
        INJECTED._replace(closed_at=LATER, closing=frozenset({"a", "b", "c"})),
        window(running=frozenset({"c"}), newest=NOW),
        window(waivers=(WAIVER, WAIVER._replace(gate="G1", was=Verdict.FAIL))),
    ],
)
def test_a_window_survives_a_restart(path: Path, watched: Window) -> None:
    assert change_windows(path, lambda _windows: (watched,)) == read_windows(path) == (watched,)


def test_how_a_window_is_written(path: Path) -> None:
    keep_window(path, MINE._replace(waivers=(WAIVER,)), None)
    (told,) = json.loads(path.read_bytes())["windows"]
    assert told == {
        "label": "Mine",
        "scope": "organic coding turns",
        "stage": "broadened",
        "source": "organic",
        "opened_at": "2026-11-23T02:00:00+00:00",
        "anchor": ["a", "b"],
        "closed_at": None,
        "decision": None,
        "waivers": [
            {
                "gate": "G4",
                "who": "bo@desk",
                "why": "by hand",
                "at": "2026-11-23T02:00:00+00:00",
                "was": "INCONCLUSIVE",
            }
        ],
    }


def test_other_vp_tui_may_write_fewer_keys_and_more(path: Path) -> None:
    keep_window(path, MINE, None)
    content = json.loads(path.read_bytes())
    (told,) = content["windows"]
    del told["waivers"]
    told["owner"] = "ana"
    path.write_text(json.dumps(content))
    assert read_windows(path) == (MINE,)


@pytest.mark.parametrize(
    "damage",
    [
        {"label": None},
        {"scope": 3},
        {"stage": "canary"},
        {"source": "unheard"},
        {"anchor": "m1"},
        {"opened_at": "yesterday"},
        {"opened_at": "2026-11-23T02:00:00"},
        {"closed_at": 5},
        {"waivers": "G1"},
        {"waivers": [{"gate": "G9"}]},
        {"waivers": [{"why": None}]},
        {"waivers": [{"was": "fine"}]},
        {"waivers": [{"at": "2026-11-23T02:00:00"}]},
    ],
)
def test_a_damaged_window_is_none(path: Path, damage: dict[str, object]) -> None:
    keep_window(path, MINE._replace(waivers=(WAIVER,)), None)
    content = json.loads(path.read_bytes())
    (told,) = content["windows"]
    if isinstance(waivers := damage.get("waivers"), list):
        told["waivers"][0] |= waivers[0]
    else:
        told |= damage
    path.write_text(json.dumps(content))
    with pytest.raises(EvidenceError, match="cannot be read as vp-tui's windows"):
        read_windows(path)


def test_without_a_file_there_is_none(path: Path) -> None:
    assert read_windows(path) == ()
    assert not path.parent.exists()


def test_what_is_watched_has_a_file_of_its_own(tmp_path: Path) -> None:
    files = {
        windows_file(tmp_path, *watched)
        for watched in (
            ("http://a", "vp.x", "/log.md"),
            ("http://b", "vp.x", "/log.md"),
            ("http://a", "vp.y", "/log.md"),
            ("http://a", "vp.x", "/other.md"),
            ("http://a", "vp.x", ""),
        )
    }
    assert len(files) == 5
    assert windows_file(tmp_path, "http://a", "vp.x", "/log.md") in files


def test_an_edit_takes_the_place_of_what_was(path: Path) -> None:
    keep_window(path, MINE, None)
    assert keep_window(path, edited(MINE), MINE) == (edited(MINE),)


def test_a_closed_window_of_real_traffic_is_in_the_log_and_not_kept(path: Path) -> None:
    keep_window(path, MINE, None)
    assert keep_window(path, closed(MINE, LATER), MINE) == ()
    assert read_windows(path) == ()


def test_a_closed_window_of_unreal_traffic_is_kept_behind_what_follows(path: Path) -> None:
    keep_window(path, INJECTED, None)
    keep_window(path, closed(INJECTED, LATER), INJECTED)
    assert keep_window(path, THEIRS, None) == (closed(INJECTED, LATER), THEIRS)


def test_a_row_keeps_what_was_waived_since_it_was_drafted(path: Path) -> None:
    keep_window(path, THEIRS, None)
    keep_window(path, THEIRS._replace(waivers=(WAIVER,)), THEIRS)
    (kept,) = keep_window(path, THEIRS._replace(decision="HOLD_SHADOW"), THEIRS)
    assert kept.waivers == (WAIVER,)


def test_only_so_many_are_kept_and_the_open_one_is_among_them(path: Path) -> None:
    old = tuple(
        closed(INJECTED._replace(opened_at=NOW + timedelta(seconds=n)), LATER) for n in range(40)
    )
    change_windows(path, lambda _windows: old)
    kept = keep_window(path, THEIRS, None)
    assert len(kept) == KEPT
    assert kept[-1] == THEIRS
    assert kept[0] == old[-KEPT + 1]


@pytest.mark.parametrize(
    ("there", "before", "now", "conflict"),
    [
        (THEIRS, None, MINE, "“Theirs” is open already"),
        (THEIRS, MINE, edited(MINE), "another vp-tui opened “Theirs” meanwhile"),
        (THEIRS, MINE, closed(MINE, LATER), "another vp-tui opened “Theirs” meanwhile"),
        (None, MINE, edited(MINE), "another vp-tui closed “Mine” meanwhile"),
        (
            MINE._replace(label="Renamed"),
            MINE,
            edited(MINE),
            "another vp-tui changed the window meanwhile: “Renamed”, broadened, organic",
        ),
    ],
)
def test_what_others_did_meanwhile_is_not_undone(
    path: Path, there: Window | None, before: Window | None, now: Window, conflict: str
) -> None:
    if there is not None:
        keep_window(path, there, None)
    data = path.read_bytes() if there else None
    with pytest.raises(EvidenceError, match=conflict) as caught:
        keep_window(path, now, before)
    assert caught.value.failure.cure == "look at what is there now, then decide again"
    assert (path.read_bytes() if there else None) == data


@pytest.mark.parametrize("there", [MINE._replace(label="Renamed"), None])
def test_closing_undoes_nothing(path: Path, there: Window | None) -> None:
    if there is not None:
        keep_window(path, there, None)
    assert keep_window(path, closed(MINE, LATER), MINE) == ()


def test_texts_of_the_file_cannot_reach_the_terminal(path: Path) -> None:
    keep_window(path, MINE, None)
    content = json.loads(path.read_bytes())
    content["windows"][0] |= {"label": "a\x1b[2J", "scope": "\u202eb", "decision": "C\nD"}
    path.write_text(json.dumps(content))
    (read,) = read_windows(path)
    assert (read.label, read.scope, read.decision) == ("a␛[2J", "\u2039U+202E\u203ab", "C␊D")


@pytest.mark.parametrize(
    "junk",
    [b"", b"[]", b"{}", b"\xff", b"[" * 9999, b'{"format": "other", "windows": []}',
     b'{"format": "vp-tui-windows", "windows": [{"label": 3}]}'],
)  # fmt: skip
def test_a_damaged_file_is_told_and_left_as_it_is(path: Path, junk: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(junk)
    told = "cannot be read as vp-tui's windows; move it away"
    with pytest.raises(EvidenceError, match=told):
        read_windows(path)
    with pytest.raises(EvidenceError, match=told):
        keep_window(path, MINE, None)
    assert path.read_bytes() == junk


def test_a_place_that_cannot_be_written_has_a_cure_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvidenceError, match="its directory is a file; name a directory of your"):
        keep_window(tmp_path / "file" / "w.json", MINE, None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_lock_that_cannot_be_made_speaks_of_no_evidence_log(path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    with pytest.raises(EvidenceError, match="XDG_STATE_HOME") as caught:
        keep_window(path, MINE, None)
    assert "--evidence" not in str(caught.value)

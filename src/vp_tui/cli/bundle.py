"""`vp-tui bundle`: one file for a bug report.

It holds what `vp-tui doctor` tells (settings with their origins, versions, each check), the newest
recordings of the lane, and the newest crash reports; no token that is known now is in it.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.console import narrate, say_of_deed, told_settings
from vp_tui.cli.doctor.diagnosis import as_object, diagnose
from vp_tui.cli.wiring import token_values
from vp_tui.domain.text import literal
from vp_tui.gateway.credentials import gateway_id
from vp_tui.storage.atomic import write_new
from vp_tui.storage.places import places
from vp_tui.storage.recording_files import files_of
from vp_tui.storage.redaction import HIDDEN, scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.settings import Settings
    from vp_tui.storage.places import Places


RECORDED_AT_MOST: Final = 128 * 2**20
"""Bytes of recordings that go in, the newest."""
CRASHES: Final = 5
"""Crash reports that go in, the newest."""


def bundle(arguments: Arguments) -> int:
    """Write the file, and print its name; return the exit code."""
    loaded, now = told_settings(arguments), datetime.now(UTC)
    settings, own = loaded.settings, places(os.environ)
    target: Path = arguments.options["file"] or Path(f"vp-tui-bundle-{now:%Y%m%dT%H%M%SZ}.tar.gz")
    told = as_object(asyncio.run(diagnose(loaded, own, os.environ, sys.stdout)))
    secrets = token_values(settings)
    doctor = scrubbed(json.dumps(told, indent=2), secrets)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        _add(archive, "doctor.json", doctor.encode("utf-8", "backslashreplace"), now)
        for file in _to_be_told(settings, own):
            try:
                content = file.read_bytes()
            except OSError as error:
                narrate(f"WARNING: {literal(str(file))} is left out: {error.strerror}")
            else:
                _add(archive, f"{file.parent.name}/{file.name}", _without(content, secrets), now)
    try:
        write_new(target, packed.getvalue())
    except OSError as error:
        why = "it is there already" if isinstance(error, FileExistsError) else error.strerror
        raise ConfigError(f"{literal(str(target))}: {why}: name another FILE") from None
    say_of_deed(str(target))
    narrate("look through it before you send it: prompts, logs and names of people may be in it")
    return 0


def _to_be_told(settings: Settings, own: Places) -> Iterator[Path]:
    """Yield the newest recordings of the lane, and the newest crash reports."""
    room = RECORDED_AT_MOST
    for file in reversed(files_of(own.recordings, gateway_id(settings.url), settings.vp_id)):
        room -= file.stat().st_size
        if room < 0:
            break
        yield file
    yield from sorted(own.state.glob("crash-*.txt"))[-CRASHES:]


def _without(content: bytes, secrets: Sequence[str]) -> bytes:
    """Return what was written without secrets before without those that are known now."""
    for secret in secrets:
        content = content.replace(secret.encode(), HIDDEN.encode())
    return content


def _add(archive: tarfile.TarFile, name: str, content: bytes, now: datetime) -> None:
    told = tarfile.TarInfo(name)
    told.size, told.mtime, told.mode = len(content), now.timestamp(), 0o600
    archive.addfile(told, io.BytesIO(content))

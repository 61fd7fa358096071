import getpass
import os
import re

import pytest

from vp_tui.storage.places import actor


def test_the_actor_is_user_at_host() -> None:
    assert re.fullmatch(r"[^@]+@[^@]+", actor())
    assert actor().endswith(f"@{os.uname().nodename}")


@pytest.mark.parametrize("error", [KeyError("no such uid"), OSError("No username set")])
def test_an_id_without_a_name_is_told_by_its_number(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", fail)
    assert actor().startswith(f"uid {os.getuid()}@")

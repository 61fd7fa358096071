"""The lane's switches: what a gateway that reads the file makes of them."""

import pytest

from vp_tui.domain.lane.switches import (
    FORCE_FALLBACK,
    RELEASE,
    Change,
    Switch,
    Switches,
    switches_in,
    with_change,
)

FORCE, MASK = Switch.FORCED_FALLBACK, Switch.FORCED_FALLBACK.mask


@pytest.mark.parametrize("value", ["1", "true", "TRUE", " yes ", "'on'", '"1"', "1 # since Monday"])
def test_what_is_on(value: str) -> None:
    assert switches_in(f"{FORCE}={value}\n".encode()).is_on(FORCE)


@pytest.mark.parametrize("value", ["0", "", "2", "y", "enabled", "off", "1x", "#1"])
def test_all_else_is_off(value: str) -> None:
    assert switches_in(f"{FORCE}={value}\n".encode()).is_on(FORCE) is False


def test_a_file_that_says_nothing_is_not_one_that_says_off() -> None:
    assert switches_in(b"# nothing\n") == Switches(None, None, None, frozenset())


def test_the_last_assignment_holds() -> None:
    assert switches_in(f"{FORCE}=1\nexport {FORCE}=0\n".encode()) == Switches(False)


def test_a_masked_switch_is_off_whatever_it_says() -> None:
    switches = switches_in(f"{FORCE}=1\n{MASK}=yes\n".encode())
    assert switches.says(FORCE)
    assert switches.is_on(FORCE) is False
    assert switches_in(f"{FORCE}=1\n{MASK}=0\n".encode()).is_on(FORCE)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("", FORCE_FALLBACK, "UA_CODER_VP_FORCE_FALLBACK=1\n"),
        ("", RELEASE, ""),
        ("UA_CODER_VP_FORCE_FALLBACK=yes\n", FORCE_FALLBACK, "UA_CODER_VP_FORCE_FALLBACK=yes\n"),
        ("UA_CODER_VP_FORCE_FALLBACK=yes\n", RELEASE, "UA_CODER_VP_FORCE_FALLBACK=0\n"),
        ("", Change(Switch.SHADOW, on=True), "UA_CODER_VP_SHADOW_MODE=1\n"),
        ("", Change(Switch.SHADOW, on=False), ""),
        ("", Change(Switch.LANE, on=True), "UA_ENABLE_CODER_VP=1\n"),
        ("", Change(Switch.LANE, on=False), "UA_ENABLE_CODER_VP=0\n"),
        ("UA_ENABLE_CODER_VP=true\n", Change(Switch.LANE, on=True), "UA_ENABLE_CODER_VP=true\n"),
    ],
)
def test_a_change_writes_no_more_than_it_needs(before: str, change: Change, after: str) -> None:
    assert with_change(before.encode(), change) == after.encode()


def test_every_change_has_words_and_a_line() -> None:
    for switch in Switch:
        for on in (True, False):
            change = Change(switch, on)
            assert change.words
            assert change.line == f"{switch.value}={int(on)}"

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.events import GapFound, LinkChanged
from vp_tui.domain.models import Frame, StreamEvent, StreamState
from vp_tui.gateway.errors import Wait
from vp_tui.gateway.stream import (
    SILENT_ACCEPT,
    AwaitConfirmation,
    Connect,
    DeafWatch,
    Policy,
    Refusal,
    Stay,
    Stop,
    StreamCore,
    StreamOutput,
    reconnect_delay,
)

ID = "session_1"
CONNECTED = Frame(kind="connected", text="attached", size=1)
TEXT = Frame(kind="text", text="hello", size=1)


def new_core(now: float = 0.0, chance: float = 1.0) -> StreamCore:
    return StreamCore(ID, now, lambda: chance)


def attach(core: StreamCore, now: float) -> list[StreamOutput]:
    return [
        *core.connecting(now),
        *core.opened(now),
        *core.received(CONNECTED, now),
    ]


def live_core(now: float = 0.0) -> StreamCore:
    core = new_core(now)
    attach(core, now)
    return core


def test_the_first_attach_goes_by_the_listing_that_made_it() -> None:
    core = new_core(7.0)
    assert core.step(7.0) == Connect(7.0)
    assert core.connecting(7.0) == [LinkChanged(7.0, ID, StreamState.CONNECTING)]
    assert core.step(7.1) == Stay(None)
    assert core.opened(7.2) == []
    assert core.step(7.3) == Stay(17.2)
    assert core.received(CONNECTED, 7.4) == [
        LinkChanged(7.4, ID, StreamState.LIVE),
        StreamEvent(7.4, ID, CONNECTED),
    ]
    assert core.step(7.5) == Stay(None)
    assert core.received(TEXT, 7.6) == [StreamEvent(7.6, ID, TEXT)]


def test_frames_before_connected_pass_and_prove_nothing() -> None:
    core = new_core()
    core.connecting(0.0)
    core.opened(0.0)
    assert core.received(TEXT, 0.1) == [StreamEvent(0.1, ID, TEXT)]
    assert core.step(0.1) == Stay(10.0)


def test_a_second_connected_is_counted_and_changes_nothing() -> None:
    core = live_core()
    assert core.received(CONNECTED, 1.0) == [StreamEvent(1.0, ID, CONNECTED)]


@pytest.mark.parametrize(
    ("code", "said", "state", "reason"),
    [
        (1000, "", StreamState.WAITING, "closed by the gateway (1000)"),
        (1006, "", StreamState.WAITING, "the connection broke (1006)"),
        (1009, "", StreamState.WAITING, "a frame was longer than 4 MiB (1009)"),
        (1011, "ping\ntimeout", StreamState.WAITING,
         "internal error, or pings unanswered (1011: ping timeout)"),
        (1012, "", StreamState.WAITING, "the gateway is restarting (1012)"),
        (4003, "Access denied", StreamState.UNAUTHORIZED,
         "access denied by the gateway's allowlist (4003: Access denied)"),
        (4004, "Session not found", StreamState.GONE,
         "the gateway does not know the session (4004: Session not found)"),
        (4403, "", StreamState.UNAUTHORIZED, "this gateway's role forbids it (4403)"),
        (4999, "\x1b", StreamState.WAITING, "closed (4999: ␛)"),
    ],
)  # fmt: skip
def test_each_close_has_words(code: int, said: str, state: StreamState, reason: str) -> None:
    core = live_core()
    assert core.closed(code, said, 9.0) == [LinkChanged(9.0, ID, state, reason)]
    assert core.step(9.0) == AwaitConfirmation()


@pytest.mark.parametrize(
    ("code", "expected"),
    [(4004, True), (4003, True), (1011, True), (1000, False), (1006, False), (1012, False)],
)
def test_what_the_gateway_counts_as_a_failed_attach_is_told(code: int, *, expected: bool) -> None:
    core = new_core()
    core.connecting(0.0)
    core.opened(0.0)
    (lost,) = core.closed(code, "", 1.0)
    assert isinstance(lost, LinkChanged)
    assert lost.is_failed_attach is expected


def test_only_a_socket_that_was_accepted_and_not_attached_is_a_failed_attach() -> None:
    refused, silent, late = new_core(), new_core(), live_core()
    refused.connecting(0.0)
    silent.connecting(0.0)
    silent.opened(0.0)
    lost = [*refused.refused(Refusal(403), 1.0), *silent.expired(10.0), *late.closed(4004, "", 1.0)]
    assert [change.is_failed_attach for change in lost if isinstance(change, LinkChanged)] == [
        False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "state", "retry_at"),
    [
        (401, StreamState.UNAUTHORIZED, 30.0),
        (403, StreamState.UNAUTHORIZED, 30.0),
        (404, StreamState.WAITING, 0.5),
        (502, StreamState.WAITING, 0.5),
    ],
)
def test_a_refused_handshake(status: int, state: StreamState, retry_at: float) -> None:
    core = new_core()
    core.connecting(0.0)
    (event,) = core.refused(Refusal(status), 0.0)
    assert isinstance(event, LinkChanged)
    assert (event.state, event.reason[:3]) == (state, str(status))
    core.confirm_in_memory(retry_at)
    assert core.step(retry_at) == Connect(retry_at)


def test_a_silent_accept_is_given_up() -> None:
    core = new_core()
    core.connecting(0.0)
    core.opened(0.0)
    assert core.expired(10.0) == [LinkChanged(10.0, ID, StreamState.WAITING, SILENT_ACCEPT)]
    assert core.expired(10.1) == []
    assert core.step(10.2) == AwaitConfirmation()


def test_after_a_loss_only_a_later_listing_allows_to_attach() -> None:
    core = live_core()
    core.confirm_in_memory(3.0)
    core.closed(1006, "", 6.0)
    assert core.step(60.0) == AwaitConfirmation()
    core.confirm_in_memory(61.0)
    assert core.step(61.0) == Connect(6.5)


def test_an_old_listing_does_not_allow_to_attach() -> None:
    core = live_core()
    core.closed(1006, "", 6.0)
    core.confirm_in_memory(7.0)
    assert core.step(17.0) == Connect(6.5)
    assert core.step(17.5) == AwaitConfirmation()


def test_a_gateway_that_restarts_is_not_believed_at_once() -> None:
    core = live_core()
    core.closed(1012, "", 6.0)
    core.confirm_in_memory(7.9)
    assert core.step(8.0) == AwaitConfirmation()
    core.confirm_in_memory(8.0)
    assert core.step(8.0) == Connect(6.5)


def test_coming_back_is_a_gap() -> None:
    core = live_core()
    core.closed(1006, "", 6.0)
    core.connecting(7.0)
    core.failed("refused", 7.1)
    events = attach(core, 10.25)
    assert events[1:3] == [
        LinkChanged(10.25, ID, StreamState.LIVE),
        GapFound(10.25, ID, "not attached for 4.2 s; no replay"),
    ]
    core.closed(1006, "", 11.0)
    assert GapFound(12.0, ID, "not attached for 1.0 s; no replay") in attach(core, 12.0)


def test_never_attached_is_no_gap() -> None:
    core = new_core()
    core.connecting(0.0)
    core.failed("refused", 0.0)
    assert not [e for e in attach(core, 5.0) if isinstance(e, GapFound)]


def delays(core: StreamCore, up_time: float, count: int) -> list[float]:
    """Return the wait after each of so many sockets that lived for `up_time`."""
    now, found = 0.0, []
    for _ in range(count):
        attach(core, now)
        now += up_time
        core.closed(1006, "", now)
        core.confirm_in_memory(now)
        step = core.step(now)
        while not isinstance(step, Connect):
            now += 1
            core.confirm_in_memory(now)
            step = core.step(now)
        found.append(step.at)
        now = max(now, step.at)
    starts = [up_time, *(at + up_time for at in found)]
    return [round(at - start, 3) for at, start in zip(found, starts, strict=False)]


def test_short_lives_lengthen_the_wait() -> None:
    assert delays(new_core(), 4.9, 7)[:5] == [0.5, 1.0, 2.0, 4.0, 4.0]


def test_a_long_enough_life_forgives() -> None:
    assert delays(new_core(), 5.0, 3) == [0.5, 0.5, 0.5]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_no_wait_is_longer_than_the_cap(failures: int, chance: float) -> None:
    assert 0.125 <= reconnect_delay(failures, chance, Policy()) <= 4.0


def test_waking_shortens_a_wait_to_half_a_second_at_most() -> None:
    core = new_core()
    core.connecting(0.0)
    core.refused(Refusal(403), 0.0)
    core.confirm_in_memory(4.0)
    core.wake(5.0)
    assert core.step(5.0) == Connect(5.5)
    core.wake(5.4)
    assert core.step(5.4) == Connect(5.5)


def test_what_the_peer_asked_to_wait_nothing_shortens() -> None:
    core = new_core()
    core.connecting(0.0)
    core.refused(Refusal(503, wait=Wait(60.0, "asked to wait 60 s")), 0.0)
    core.wake(5.0)
    core.confirm_in_memory(59.0)
    assert core.step(59.0) == Connect(60.0)


def test_waking_does_not_confirm() -> None:
    core = live_core()
    core.closed(1006, "", 1.0)
    core.wake(2.0)
    assert core.step(9.0) == AwaitConfirmation()


def test_a_deaf_socket_is_given_up_and_what_it_missed_is_told() -> None:
    core = live_core()
    assert [core.listing_says(seq, 3.0) for seq in (10, 11)] == [[], []]
    gap, link = core.listing_says(14, 9.0)
    assert gap == GapFound(9.0, ID, "the gateway sends nothing although events happen", 4)
    assert isinstance(link, LinkChanged)
    assert link.state is StreamState.WAITING
    assert core.step(9.0) == AwaitConfirmation()
    assert core.listing_says(20, 9.1) == []
    core.confirm_in_memory(9.0)
    assert core.step(9.0) == Connect(9.5)


def test_deaf_again_waits_longer_each_time() -> None:
    core = live_core()
    waits = []
    for now in (100.0, 200.0, 300.0):
        for seq in (10, 50, 100):
            core.listing_says(seq, now)
        core.confirm_in_memory(now)
        step = core.step(now)
        assert isinstance(step, Connect)
        waits.append(step.at - now)
        attach(core, now + 10)
    assert waits == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("listings", "missed"),
    [
        ([5, 6, 8], 3),
        ([5, 6, 7], None),
        ([5, 9], None),
        ([5, 9, 9, 12], None),
        ([5, 5, 5, 5], None),
        ([5, 6, 7, 8], 3),
        ([5, 7, 1, 2], None),
        ([5, None, 7, 9, 10], 3),
        ([5, 6, None, 8], None),
    ],
)
def test_what_makes_a_socket_deaf(listings: list[int | None], missed: int | None) -> None:
    watch, found = DeafWatch(), None
    for seq in listings:
        if seq is None:
            watch.frame_came()
        else:
            found = watch.listed(seq)
    assert found == missed


def test_others_attaches_do_not_make_a_socket_deaf_for_ever() -> None:
    watch = DeafWatch()
    assert [watch.listed(seq) for seq in (0, 1, 3)] == [None, None, 3]
    watch.attached()
    assert [watch.listed(seq) for seq in (3, 4, 6, 9)] == [None, None, None, 6]
    watch.frame_came()
    assert [watch.listed(seq) for seq in (10, 11, 13)] == [None, None, 3]


def test_stopped_is_stopped() -> None:
    core = live_core()
    core.stop()
    assert core.step(0.0) == Stop()
    assert core.closed(1000, "", 1.0) == []
    assert core.step(99.0) == Stop()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["closed", "failed", "confirm", "wake", "listed", "frame", "expire"]),
            st.floats(0, 20),
        ),
        max_size=40,
    )
)
def test_no_attach_without_a_listing_after_the_loss(steps: list[tuple[str, float]]) -> None:
    core, now, confirmed = new_core(), 0.0, True
    for seq, (step, wait) in enumerate(steps):
        now += wait
        if isinstance(core.step(now), Connect):
            assert confirmed
            attach(core, now)
            confirmed = False
        was_open = isinstance(core.step(now), Stay)
        match step:
            case "closed":
                core.closed(1006, "", now)
            case "failed":
                core.failed("why", now)
            case "confirm":
                core.confirm_in_memory(now)
                confirmed = confirmed or not was_open
            case "wake":
                core.wake(now)
            case "listed":
                core.listing_says(3 * seq, now)
            case "frame":
                core.received(TEXT, now)
            case _:
                core.expired(now)


@dataclass
class Endpoint:
    """A session as the gateway serves it to one core: no backlog, no replay (section 8)."""

    core: StreamCore
    is_up: bool = True
    in_memory: bool = True
    is_attached: bool = False
    restarted_at: float = -60.0
    lost: bool = False
    """Whether a socket was lost since the last gap."""
    missed: bool = False
    """Whether frames were sent meanwhile."""

    def does(self, step: str, now: float) -> None:
        match step:
            case "frame":
                self.sends(now)
            case "cut":
                self.drops(1006, now)
            case "restart" if self.is_attached:
                self.in_memory, self.restarted_at = False, now
                self.drops(1012, now)
            case "away":
                self.is_up = False
                self.drops(1006, now)
            case "back":
                self.is_up = True
            case "works":
                self.in_memory = True
            case "listing" if self.is_up:
                is_of_old_process = now - self.restarted_at < 2.0
                if self.in_memory or is_of_old_process:
                    self.core.confirm_in_memory(now)
            case "wake":
                self.core.wake(now)

    def connects(self, now: float) -> None:
        """Do what the shell does where the core wants a socket now."""
        wanted = self.core.step(now)
        if not isinstance(wanted, Connect) or wanted.at > now:
            return
        assert not self.is_attached
        self.core.connecting(now)
        if not self.is_up:
            self.core.failed("refused", now)
            return
        assert self.in_memory, "attaching resumes a session that is on disk only"
        self.core.opened(now)
        self.hears(self.core.received(CONNECTED, now))
        self.is_attached = True

    def sends(self, now: float) -> None:
        self.missed = self.missed or self.lost
        if self.is_attached:
            self.hears(self.core.received(TEXT, now))

    def drops(self, code: int, now: float) -> None:
        if self.is_attached:
            self.is_attached, self.lost = False, True
            self.core.closed(code, "", now)

    def hears(self, events: list[StreamOutput]) -> None:
        for _gap in (event for event in events if isinstance(event, GapFound)):
            assert self.lost, "a gap where nothing was lost"
            self.lost = self.missed = False


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["frame", "cut", "restart", "away", "back", "works", "listing", "wake"]
            ),
            st.sampled_from([0.0, 0.3, 1.0, 5.0, 11.0, 40.0]),
        ),
        max_size=40,
    )
)
def test_what_an_endpoint_sends_is_heard_or_told_as_a_gap(steps: list[tuple[str, float]]) -> None:
    now, endpoint = 0.0, Endpoint(new_core())
    well = [("works", 0.0), ("back", 0.0), *[("listing", 4.0)] * 3]
    for step, wait in [*steps, *well]:
        now += wait
        endpoint.does(step, now)
        endpoint.connects(now)
    assert endpoint.is_attached
    assert not endpoint.missed

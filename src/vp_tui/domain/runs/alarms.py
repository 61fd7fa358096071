"""Alarms: which are new and ring, which go on, who acknowledged them; and what words changed.

An alarm is told by its key: its kind and whom it is about. It rings once, and again only after it
was over, or when its kind of trouble has changed. What cannot be told now is neither over nor new.
Moments are vp-tui's own monotonic clock in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


OF_NO_SESSION: Final = ":"
"""Begins the subjects that are no session: no session's id has it."""


class AlarmKey(NamedTuple):
    """What makes two alarms the same one."""

    subject: str
    """The session's id, or a name that no session has for the gateway and the lane."""
    kind: str
    """`stuck run`, `guardrail tripped`, …"""


class PresentAlarm(NamedTuple):
    """Something that is wrong now."""

    key: AlarmKey
    reason: str
    """May change while the alarm goes on."""
    since: float | None
    """When it came to be so; None where that is not known."""


class Acknowledgement(NamedTuple):
    """Somebody has seen it."""

    actor: str
    at: float


class Alarm(NamedTuple):
    """Something that is wrong, as it is followed."""

    key: AlarmKey
    reason: str
    since: float
    """When it came to be so, or was first seen."""
    raised_at: float
    acknowledged: Acknowledgement | None = None

    @property
    def session_id(self) -> str | None:
        """The session that it is about, None for the gateway and the lane."""
        return None if self.key.subject.startswith(OF_NO_SESSION) else self.key.subject


class Reading(NamedTuple):
    """One of the words that the screen goes by: the badge, the row's word, a gate, the alarms."""

    name: str
    value: str
    cause: str = ""
    """What happened for it since the look before, in words; "" where it reads as it did."""


class LastChange(NamedTuple):
    """When one of these words was last seen to change, and why."""

    at: float
    before: str
    """"" for one that was not read before."""
    after: str
    cause: str = ""
    """"" where it was read for the first time."""


class AlarmChanges(NamedTuple):
    """The alarms after a look, and what that look changed."""

    alarms: tuple[Alarm, ...]
    """All that go on, the newest first."""
    new: tuple[Alarm, ...] = ()
    """Those that ring now."""
    ended: tuple[Alarm, ...] = ()


def follow_alarms(
    previous: Iterable[Alarm],
    present: Iterable[PresentAlarm],
    now: float,
    *,
    unknown: Collection[str] = (),
) -> AlarmChanges:
    """Return the alarms after a look at `now`.

    `unknown` are the subjects of which nothing can be told now: their alarms go on unheard. An
    acknowledgement lasts as long as its alarm.
    """
    known = {alarm.key: alarm for alarm in previous}
    seen = {one.key: one for one in present}
    unheard = set(unknown) - {key.subject for key in seen}
    new = [
        Alarm(key, one.reason, now if one.since is None else one.since, now)
        for key, one in sorted(seen.items())
        if key not in known
    ]
    kept, ended = [], []
    for key, alarm in known.items():
        if (one := seen.get(key)) is not None:
            since = alarm.since if one.since is None else one.since
            kept.append(alarm._replace(reason=one.reason, since=since))
        elif key.subject in unheard:
            kept.append(alarm)
        else:
            ended.append(alarm)
    ordered = sorted((*new, *kept), key=lambda alarm: (-alarm.raised_at, alarm.key))
    return AlarmChanges(tuple(ordered), tuple(new), tuple(ended))


def acknowledged(
    alarms: Iterable[Alarm], actor: str, now: float, subjects: Collection[str] | None = None
) -> tuple[Alarm, ...]:
    """Return the alarms, those of `subjects` (None: all) seen by `actor`; who came first stands."""
    mark = Acknowledgement(actor, now)
    return tuple(
        alarm._replace(acknowledged=mark)
        if alarm.acknowledged is None and (subjects is None or alarm.key.subject in subjects)
        else alarm
        for alarm in alarms
    )

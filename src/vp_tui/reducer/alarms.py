"""The alarms: what rang, what is over, and who has seen it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vp_tui.domain.alarms import acknowledged
from vp_tui.reducer.entries import with_entry

if TYPE_CHECKING:
    from vp_tui.domain.events import AlarmCommandFailed, AlarmsAcknowledged, AlarmsFollowed
    from vp_tui.state import State


def alarms_followed(event: AlarmsFollowed, state: State) -> State:
    """Take the alarms as they are now; those that are new, and those that are over, are told."""
    before = {alarm.key for alarm in state.alarms}
    after = {alarm.key for alarm in event.alarms}
    told = state
    for alarm in event.alarms:
        if alarm.key not in before:
            text = f"{alarm.key.kind}: {alarm.reason}"
            told = with_entry(told, event.at, alarm.session_id, "alarm", text, "bad")
    for alarm in state.alarms:
        if alarm.key not in after:
            text = f"over: {alarm.key.kind}"
            told = with_entry(told, event.at, alarm.session_id, "alarm", text, "good")
    return replace(told, alarms=event.alarms)


def alarms_acknowledged(event: AlarmsAcknowledged, state: State) -> State:
    """Note who has seen the alarms."""
    seen = acknowledged(state.alarms, event.actor, event.at, event.subjects)
    text = f"seen by {event.actor}"
    return with_entry(replace(state, alarms=seen), event.at, None, "alarm", text, "good")


def alarm_command_failed(event: AlarmCommandFailed, state: State) -> State:
    """Say that the command for alarms did not work."""
    text = f"{event.failure.reason}; {event.failure.cure}"
    return with_entry(state, event.at, None, "alarm", text, "bad")

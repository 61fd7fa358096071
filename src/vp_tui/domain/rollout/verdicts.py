"""What a gate says, who waived it, what the suites attest, and what all gates mean for a promotion.

The rules are those of docs/rollout.md, section 4. The promotion line is not the row's word: it
shows how much less than proof a decision rests on, and forbids nothing.

A waiver is of one gate, one window, one verdict and one cause: what the gate said then, and why. It
never covers worse news that comes later, nor hides a PASS that is earned. One of outcomes that
nobody knows lets all gates and clean be judged over the known ones. A waived FAIL is no gate FAIL
any more, so the window may be clean and its row says who waived what; it is no PASS either, so
promotion stays "not yet". Guardrails are no gates: one that is tripped is told by the SAFETY line
and decides the word as before, and the gate that fails by it cannot be waived.

Ages are seconds; times are UTC.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.text import figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from vp_tui.domain.models import Continuity, Failure


GATE_NAMES: Final = ("G1", "G2", "G3", "G4")
GATE_TITLES: Final = dict(zip(GATE_NAMES, ("rate", "failures", "p95", "suites"), strict=True))
"""What each gate is called where it is read."""
_LACKS: Final = {"suites": "not attested", "epoch": "epoch unknown"}

OUTCOMES_KNOWN: Final = "every outcome known"
"""The limit that decides where nobody knows how some missions went."""
SUITES_MAX_AGE_S: Final = 7 * 86_400.0
"""An attestation of the continuity suites holds for less than this."""
AHEAD_S: Final = 86_400.0
"""How far a report may be ahead of our clock: its stamp may lack a zone, as JUnit's do."""

_OWN_ALERTS: Final = frozenset({"attach_failures_high", "attach_success_rate_low"})
"""Alerts that a viewer's own failed attaches can raise."""


class Verdict(StrEnum):
    """How a gate stands."""

    PASS = "PASS"  # noqa: S105 - a verdict
    WATCH = "WATCH"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    """Nothing is wrong, and too little is known: `missing` says what."""
    UNKNOWN = "UNKNOWN"
    """The source is blind, stale, refused or not there."""
    WAIVED = "WAIVED"


class GateResult(NamedTuple):
    """One gate's verdict and why."""

    verdict: Verdict
    reason: str
    threshold: str
    """The limit that decided, by name."""
    missing: str | None = None
    """What a PASS still takes, in a word: `+20`, `suites`; None when nothing or not known."""

    @property
    def told(self) -> str:
        """The verdict, in its place what it lacks: `needs 17 more`, `not attested`."""
        if self.verdict is not Verdict.INCONCLUSIVE or self.missing is None:
            return str(self.verdict)
        return _LACKS.get(self.missing, f"needs {self.missing.removeprefix('+')} more")


class Gates(NamedTuple):
    """The four gates."""

    g1: GateResult
    """Fallback rate below target."""
    g2: GateResult
    """No sustained `vp.mission.failed`."""
    g3: GateResult
    """p95 stable and in range."""
    g4: GateResult
    """No continuity regression."""

    def by_name(self) -> dict[str, GateResult]:
        """Return the gates as `G1` to `G4`."""
        return {"G1": self.g1, "G2": self.g2, "G3": self.g3, "G4": self.g4}

    @property
    def failing(self) -> tuple[str, ...]:
        """Each gate that fails, with its reason."""
        return tuple(
            f"{GATE_TITLES[name]} FAIL: {gate.reason}"
            for name, gate in self.by_name().items()
            if gate.verdict is Verdict.FAIL
        )

    @property
    def not_proven(self) -> tuple[str, ...]:
        """Each gate that does not pass, with what it lacks, as it is read."""
        return tuple(
            f"{GATE_TITLES[name]} {gate.told}"
            for name, gate in self.by_name().items()
            if gate.verdict is not Verdict.PASS
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """What keeps a promotion from being recommended: `G1 +20`, `G2 FAIL`, `G4 WAIVED`."""
        return tuple(
            f"{name} {gate.missing or gate.verdict}"
            for name, gate in self.by_name().items()
            if gate.verdict is not Verdict.PASS
        )


class Waiver(NamedTuple):
    """One gate, set aside by somebody."""

    gate: str
    """`G1` to `G4`."""
    who: str
    why: str
    at: datetime
    was: Verdict
    """What the gate said, and what alone is waived."""
    cause: str = ""
    """The limit that decided it, which alone is waived; "" of old ones: whichever it was."""


def why_not_waived(name: str, gate: GateResult, *, tripped: bool) -> str | None:
    """Return why this gate cannot be waived now, None when it can.

    `tripped` tells whether guardrail 3 is.
    """
    title = GATE_TITLES[name]
    if gate.verdict is Verdict.PASS:
        return f"{title} passes: there is nothing to waive"
    if gate.verdict is Verdict.WAIVED:
        return f"{title} is waived already"
    if tripped and name == "G1":  # it fails as the guardrail trips
        return f"guardrail 3 is tripped: {title} cannot be waived"
    return None


def with_waivers(gates: Gates, waivers: Iterable[Waiver], *, tripped: bool) -> Gates:
    """Return the gates with those waived whose verdict is the one that was.

    `tripped` tells whether guardrail 3 is: then its gate stands.
    """
    found = gates.by_name()
    for waiver in waivers:
        gate = found[waiver.gate]
        is_barred = why_not_waived(waiver.gate, gate, tripped=tripped) is not None
        is_of_it = gate.verdict is waiver.was and waiver.cause in {"", gate.threshold}
        if is_of_it and not is_barred:
            was = f"(was {gate.verdict}: {gate.reason})"
            reason = f"waived by {waiver.who}: {waiver.why} {was}"
            found[waiver.gate] = GateResult(Verdict.WAIVED, reason, gate.threshold)
    return Gates(*found.values())


def with_waiver(waivers: Sequence[Waiver], new: Waiver) -> tuple[Waiver, ...]:
    """Return the waivers with a new one; it takes the place of an older one of its gate.

    That outcomes cannot be known concerns all gates: it stays beside another cause.
    """
    stays = outcomes_waiver(waivers) if new.cause != OUTCOMES_KNOWN else None
    return (*(one for one in waivers if one.gate != new.gate or one is stays), new)


def outcomes_waiver(waivers: Iterable[Waiver]) -> Waiver | None:
    """Return the waiver by which gates and clean are judged over known outcomes alone."""
    return next((waiver for waiver in waivers if waiver.cause == OUTCOMES_KNOWN), None)


class Attestation(StrEnum):
    """What is known of the continuity suites' last run."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    TOO_OLD = "too old"


class Suites(NamedTuple):
    """The continuity suites' result, with what the report says in words."""

    state: Attestation = Attestation.ABSENT
    detail: str = "no report"


class SuitesReport(NamedTuple):
    """A report as it was read."""

    file: str
    """Its name, without the directory, made literal."""
    tests: int
    """Tests that ran; skipped ones did not."""
    failures: int
    """Failures and errors."""
    ran_at: datetime
    """When the oldest of its suites ran."""


class UnreadReport(NamedTuple):
    """A report that is not there, or that cannot be read as one."""

    file: str
    failure: Failure


def attested(report: SuitesReport | UnreadReport | None, now: datetime) -> Suites:
    """Return what a report attests at `now`; None: there is none."""
    if report is None:
        return Suites()
    if isinstance(report, UnreadReport):
        why, cure = report.failure.reason, report.failure.cure
        return Suites(Attestation.ABSENT, f"{report.file}: {why}; {cure}")
    age_s = (now - report.ran_at).total_seconds()
    told = f"{report.file}, {_aged(age_s)}"
    if report.failures:
        return Suites(Attestation.FAILED, f"{told}: {report.failures} failed")
    if not report.tests or age_s < -AHEAD_S:
        why = "is dated in the future" if report.tests else "has no test that ran"
        return Suites(Attestation.ABSENT, f"{report.file} {why}")
    if age_s >= SUITES_MAX_AGE_S:
        return Suites(Attestation.TOO_OLD, told)
    return Suites(Attestation.PASSED, f"{told}: {report.tests} passed")


def _aged(age_s: float) -> str:
    """Return an age in words, cut to whole units: it is not to change every second."""
    for unit_s, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if age_s >= 2 * unit_s:
            return f"{int(age_s // unit_s)} {name} old"
    return "just run"


def continuity_gate(runtime: Continuity | None, own: int, suites: Suites) -> GateResult:
    """Return the fourth gate; `own` are vp-tui's own failed attaches, of this epoch.

    `runtime` is None unless it is reachable and fresh.
    """
    limit = f"no alert, and suites younger than {SUITES_MAX_AGE_S / 86_400:g} days"
    if suites.state is Attestation.FAILED:
        return GateResult(Verdict.FAIL, f"continuity suites: {suites.detail}", limit)
    if runtime is None:
        return GateResult(Verdict.UNKNOWN, "session-continuity does not answer", limit)
    faults, excused = _runtime_faults(runtime, own)
    if faults:
        return GateResult(Verdict.FAIL, f"{', '.join(faults)}{excused}", limit)
    if suites.state is Attestation.PASSED:
        told = f"runtime ok{excused}, suites passed: {suites.detail}"
        return GateResult(Verdict.PASS, told, limit)
    told = f"runtime ok{excused}, suites not attested: {suites.detail}"
    return GateResult(Verdict.INCONCLUSIVE, told, limit, "suites")


def _runtime_faults(runtime: Continuity, own: int) -> tuple[list[str], str]:
    """Return what is wrong, less what vp-tui's own failed attaches did, and those in words.

    The gateway counts failed attaches without saying whose: an alert on them is vp-tui's own doing
    when nobody else had one. What they degraded is the transport.
    """
    codes = [alert.code for alert in runtime.alerts]
    own = min(own, runtime.attach_failures)
    all_own = own > 0 and own == runtime.attach_failures
    faults = [code for code in codes if not (all_own and code in _OWN_ALERTS)]
    if runtime.transport_status != "ok" and (faults or not codes):
        faults.append(f"transport {runtime.transport_status}")
    if runtime.runtime_status != "ok":
        faults.append(f"runtime {runtime.runtime_status}")
    words = f" ({own} of {figure(runtime.attach_failures)} failed attaches are vp-tui's own)"
    return faults, words if own else ""

"""How a turn behaves: a script, which a marker in its prompt chooses, or invented work.

`Please fix this bug in code @fake:vp_error secs=2` runs as written; a prompt without a marker gets
a clean turn of a few seconds. What users ask for and what engines do about it is made up here too.
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from vp_tui.simulator.database import SimIds


Outcome = Literal[
    "mission", "notrace", "vp_error", "vp_exc", "both_fail", "fallback_exc",
    "hang", "hang_swallow", "orphan", "drip", "input_required",
]  # fmt: skip
"""What becomes of a turn, by the name that its marker has."""
Act = Literal["work", "err", "raise", "hang", "deaf", "orphan", "drip", "input_required"]
"""What one engine does in its part of the turn."""

_ACTS: Final[dict[Outcome, tuple[Act, Act]]] = {
    "mission": ("work", "work"),
    "notrace": ("work", "work"),
    "vp_error": ("err", "work"),
    "vp_exc": ("raise", "work"),
    "both_fail": ("err", "err"),
    "fallback_exc": ("err", "raise"),
    "hang": ("hang", "hang"),
    "hang_swallow": ("deaf", "deaf"),
    "orphan": ("orphan", "orphan"),
    "drip": ("drip", "drip"),
    "input_required": ("input_required", "input_required"),
}
"""Per outcome what the VP lane does and what the primary path does after it or instead of it."""
_OUTCOMES: Final[dict[str, Outcome]] = {name: name for name in _ACTS}
_STEPLESS: Final = frozenset(
    {"notrace", "hang", "hang_swallow", "orphan", "drip", "input_required"}
)
_MARKER: Final = re.compile(r"@fake:(?P<name>\w+)(?P<arguments>(?:\s+\w+=\S+)*)")
_TOOLS: Final = ("Read", "Edit", "Bash")
_CALLS: Final = {
    "Grep": (
        "pattern",
        "{0}/__init__.py:3\n{0}/core.py:41\n{0}/core.py:118",
        "Found the places in {0} that matter.\n",
    ),
    "Read": (
        "file_path",
        "     1\tfrom __future__ import annotations\n     2\t# {0}",
        "{0} is clear now.\n",
    ),
    "Edit": ("file_path", "The file {0} has been updated.", "Changed {0}.\n"),
}
"""Per tool what its argument is called, what it prints and what the engine says to that."""

CHATS: Final = (
    "Summarise what the team decided in Monday's planning notes",
    "Draft a friendly reply to the supplier about the late delivery",
    "What should go into the agenda for the offsite?",
    "Turn these bullet points into two paragraphs for the newsletter",
)
"""Prompts without a coding word: they never reach the lane."""

VP_ERRORS: Final = (
    "Tool loop aborted: model provider answered 529 overloaded",
    "Context window exceeded after 41 tool calls",
    "Bash tool lost its sandbox: connection reset by peer",
)


class SimStep(NamedTuple):
    """One tool call: `lead` seconds of thinking, `seconds` of work, then what came of it."""

    tool: str
    arguments: dict[str, object]
    lead: float
    seconds: float
    output: str
    says: str
    """The engine's words afterwards; `{source}` stands for the path that runs."""


class SimTurnScript(NamedTuple):
    """What happens in a turn, in seconds of scripted time."""

    outcome: Outcome = "mission"
    steps: tuple[SimStep, ...] = ()
    thought: str = "I should look at the parser first."
    fails_after: float = 1.0
    """Until an engine that errs does so."""
    error: str = ""
    """The VP lane's words when it errs; empty for the usual ones."""
    hold: float = 12.0
    """How long a deaf or orphaned run goes on after the cancel, or a drip in all."""
    external: bool = False
    """Whether a G2 leaves the mission to a worker."""
    finishes: bool = False
    """Whether a deaf run completes in the end instead of being cancelled."""

    @property
    def trace(self) -> bool:
        """Whether the engine says anything but that it is done."""
        return self.outcome != "notrace"

    def act(self, *, delegated: bool) -> Act:
        """Return what the VP lane (`delegated`) or the primary path does."""
        on_vp, on_primary = _ACTS[self.outcome]
        return on_vp if delegated else on_primary


def marked_script(prompt: str) -> SimTurnScript | None:
    """Return the script that a `@fake:name key=value` marker in `prompt` asks for."""
    marker = _MARKER.search(prompt)
    outcome = _OUTCOMES.get(marker["name"]) if marker else None
    if marker is None or outcome is None:
        return None
    arguments = dict(pair.split("=", 1) for pair in marker["arguments"].split())
    seconds = float(arguments.get("secs", 3))
    return SimTurnScript(
        outcome=outcome,
        steps=() if outcome in _STEPLESS else _plain_steps(seconds),
        hold=float(arguments.get("hold", arguments.get("secs", 12))),
        external=arguments.get("external") == "1",
        finishes=arguments.get("then") == "finish",
    )


def _plain_steps(seconds: float) -> tuple[SimStep, ...]:
    return tuple(
        SimStep(
            tool=tool,
            arguments={"path": f"src/mod_{index}.py"},
            lead=seconds / len(_TOOLS),
            seconds=0.05,
            output=f"result of step {index}\nline 2",
            says=f"Step {index + 1} of {len(_TOOLS)} done ({{source}}).\n",
        )
        for index, tool in enumerate(_TOOLS)
    )


class SimJob(NamedTuple):
    """A piece of coding work: what is asked, which files it touches, how it is checked."""

    prompt: str
    files: tuple[str, ...]
    check: str
    output: str


JOBS: Final = (
    SimJob(
        "Implement retry with jitter in the billing webhook service",
        ("billing/webhooks/sender.py", "billing/webhooks/backoff.py", "tests/test_sender.py"),
        "uv run pytest -q tests/test_sender.py",
        "..............                                     [100%]\n14 passed in 2.41s",
    ),
    SimJob(
        "Fix the bug where invoices lose their VAT line after a refund",
        ("billing/invoices/refund.py", "billing/invoices/lines.py", "tests/test_refund.py"),
        "uv run pytest -q tests/test_refund.py -k vat",
        "......                                             [100%]\n6 passed in 1.08s",
    ),
    SimJob(
        "Refactor the session store module to use one connection pool",
        ("gateway/store/sessions.py", "gateway/store/pool.py", "tests/store/test_pool.py"),
        "uv run mypy gateway/store && uv run pytest -q tests/store",
        "Success: no issues found in 9 source files\n31 passed in 4.77s",
    ),
    SimJob(
        "Add a paginated /v2/orders endpoint to the orders service",
        ("orders/api/v2/routes.py", "orders/api/v2/schema.py", "tests/api/test_orders_v2.py"),
        "uv run pytest -q tests/api/test_orders_v2.py",
        "....................                               [100%]\n20 passed in 3.12s",
    ),
    SimJob(
        "Write the missing tests for the csv importer module",
        ("importer/csv_reader.py", "tests/importer/test_dialects.py", "tests/importer/data.py"),
        "uv run pytest -q tests/importer --cov=importer",
        "importer/csv_reader.py   118   4   97%\n27 passed in 1.93s",
    ),
    SimJob(
        "Port the deploy script from bash to python, keep its flags",
        ("ops/deploy.sh", "ops/deploy.py", "ops/README.md"),
        "python ops/deploy.py --dry-run --env staging",
        "plan: 3 images, 1 migration\nnothing was changed (dry run)",
    ),
    SimJob(
        "Fix the flaky scheduler test that fails around midnight",
        ("scheduler/clock.py", "scheduler/cron.py", "tests/test_cron.py"),
        "uv run pytest -q tests/test_cron.py --count 50",
        "250 passed in 8.60s",
    ),
    SimJob(
        "Implement rate limiting for the public search api",
        ("search/http/limits.py", "search/http/middleware.py", "tests/http/test_limits.py"),
        "uv run pytest -q tests/http && uv run ruff check search",
        "........................                           [100%]\nAll checks passed!",
    ),
)


def coding_turn(random: Random, *, seconds: float) -> tuple[str, tuple[SimStep, ...]]:
    """Return a coding prompt and tool calls that take about `seconds`."""
    job = random.choice(JOBS)
    ticket = random.randrange(1200, 9800)
    return f"{job.prompt} (ticket {ticket})", job_steps(job, random, seconds=seconds)


def chat_steps(random: Random, *, seconds: float) -> tuple[SimStep, ...]:
    """Return what the primary engine does for a prompt about words."""
    paths = ("notes/planning.md", "notes/style.md", "drafts/reply.md")
    return _spread([("Read", path) for path in paths], random, seconds)


def job_steps(job: SimJob, random: Random, *, seconds: float) -> tuple[SimStep, ...]:
    """Return the tool calls of a job: look, change, check, with gaps of 0.5 to 1.5 s."""
    look = [("Grep", job.files[0].split("/")[0])] + [("Read", path) for path in job.files]
    change = [("Edit", path) for path in random.sample(job.files, 2)]
    calls = look + change
    while len(calls) < seconds / 1.9 - 1:
        calls.append(random.choice(change))
    steps = _spread(calls, random, seconds * len(calls) / (len(calls) + 1))
    check = SimStep(
        tool="Bash",
        arguments={"command": job.check},
        lead=random.uniform(0.4, 0.9),
        seconds=random.uniform(0.8, 1.5),
        output=job.output,
        says="The checks pass.\n",
    )
    return (*steps, check)


def invented_script(ids: SimIds) -> SimTurnScript:
    """Return a clean turn of a few seconds, for a prompt that does not say how it behaves."""
    random = Random(int(ids.hex(8), 16))  # noqa: S311 - repeatable by design, nothing secret
    steps = job_steps(random.choice(JOBS), random, seconds=random.uniform(6.0, 10.0))
    return SimTurnScript(steps=steps)


def _spread(calls: list[tuple[str, str]], random: Random, seconds: float) -> tuple[SimStep, ...]:
    share = seconds / len(calls)
    return tuple(_step(tool, target, share * random.uniform(0.7, 1.3)) for tool, target in calls)


def _step(tool: str, target: str, seconds: float) -> SimStep:
    key, output, says = (text.format(target) for text in _CALLS[tool])
    return SimStep(tool, {key: target}, seconds * 0.6, seconds * 0.4, output, says)

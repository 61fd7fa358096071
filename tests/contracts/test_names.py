"""One word a thing: class names that are unique, module names that stand for one topic."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.support.house import trees

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPICS: Final = {
    "actions": "what the operator can do, and the keys for it",
    "errors": "why something could not be done, in words",
    "evidence": "the evidence log and its rows",
    "evidence_row": "a row of the evidence log",
    "figures": "the numbers of the lane: rates, p95, missions, events",
    "lane": "the lane's switches, mode and proof",
    "lookout": "what is judged once a second: alarms, and the auto-revert",
    "orders": "what is asked of gateway and lane",
    "recording": "what a watch's store took, written down",
    "replay": "a recording played again",
    "runs": "the sessions' runs",
    "sources": "metrics, sessions, streams, logs, continuity: how far each may be trusted",
    "status": "the object of `vp-tui status`",
    "triage": "one run looked at closely",
    "turns": "the turns of a session",
    "windows": "observation windows",
}
"""What a module name that stands in several rooms stands for, in all of them."""
ONE_WORD: Final = {
    "made": "the thing's own name: assessment, diagnosis, …",
    "drafted": "draft",
    "deed": "action", "deeds": "actions_taken",
    "doing": "handler", "doings": "handlers",
    "hung": "stuck_runs", "hangs": "is_stuck",
    "gravest": "worst",
    "watchman": "lookout",
    "fleet": "runs",
    "desk": "evidence_dialogs", "acting": "order_dialogs",
    "sighting": "observation", "sightings": "observations",
    "finding": "check", "findings": "checks",
    "measured": "figures",
    "ordering": "orders",
    "triaging": "triage_choice",
    "ladder": "next_step",
    "brief": "figure_layouts", "dense": "figure_layouts",
}  # fmt: skip
"""Words that once stood beside another one for the same thing, and that one."""


def modules() -> Iterator[tuple[str, str]]:
    for name in trees():
        path = Path(name)
        if path.stem not in {"__init__", "__main__"}:
            yield path.stem, path.parts[0]


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Yield every name that the file gives to something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def test_every_public_class_name_is_unique() -> None:
    names = Counter(
        node.name
        for tree in trees().values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, times in names.items() if times > 1] == []


def test_the_simulators_classes_say_so() -> None:
    for name, tree in trees().items():
        if name.startswith("simulator/"):
            public = [n.name for n in tree.body if isinstance(n, ast.ClassDef) and n.name[0] != "_"]
            assert [one for one in public if not one.startswith("Sim")] == [], name


def test_a_module_name_in_several_rooms_stands_for_one_topic() -> None:
    rooms: defaultdict[str, set[str]] = defaultdict(set)
    for module, room in modules():
        rooms[module].add(room)
    shared = {module for module, where in rooms.items() if len(where) > 1}
    assert shared == TOPICS.keys()


def test_no_thing_has_a_second_word() -> None:
    found = {
        (name, identifier)
        for name, tree in trees().items()
        if not name.startswith("simulator/")  # its runs hang for real
        for identifier in identifiers(tree)
        if identifier.strip("_") in ONE_WORD
    }
    assert found == set()

"""What no screen, text or document may say: abbreviations that were misread, plurals of one."""

from __future__ import annotations

import re
from typing import Final

FORBIDDEN: Final = re.compile(
    r"""\bG[1-4]\b | \bINC\b | \b(?:Sha|Lim|Bro|Sus|win)\# | \bep\d | \bcov\b | \bcont\ \d
    | \b\d+(?:ok|F|run|orphan|fb|done|disp|[dc])\b | cancel-rec | brake\ ON | KEEP\ WATCHING
    | \bsuggests\b | \bunseen\ \d | \bboot\ \d | NO\ DATA | \beach\ [▁-█] | \brolling\ \d+/
    | \bmore\ trips?\b | \bsrc\b | \borphans?\b | \bw?s\ \d/\d | \bFULL\ \d | \bbrake\ is\b
    | PARTIAL_TIMEOUT_RECOVERED\b.*unconfirmed""",
    re.VERBOSE,
)
ONE_OF_MANY: Final = re.compile(
    r"(?<![\w.,:/\[-])1 (?:other |more |later )?(?!(?:is|was|has|across|runs|cancels)\b)[a-z]+s\b"
)
"""`1 rows`; `1 runs` is what the mission does, `[1 runs]` a key, `1 cancels` guardrail 1."""
ESCAPE: Final = re.compile(r"\\[uUx][0-9a-f]{2}")


_CODE: Final = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


def prose(text: str) -> str:
    """Return a document without what it quotes as code: JSON keys are called as they are."""
    return _CODE.sub("`", text)


def wrong_words(text: str) -> set[str]:
    """Return what the text says that it must not."""
    return {
        match[0] for wrong in (FORBIDDEN, ONE_OF_MANY, ESCAPE) for match in wrong.finditer(text)
    }

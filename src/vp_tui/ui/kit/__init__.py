"""Widgets that know nothing of the topic; a bug in one of them takes down nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from rich.segment import Segment
from textual.strip import Strip

from vp_tui.ui.lines.paint import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.geometry import Region
    from textual.message import Message
    from textual.message_pump import MessagePump as _Base
    from textual.widget import Widget

    from vp_tui.ui.lines.paint import Line
else:
    _Base = object  # a widget that comes first would take the place of what is styled


class HasFaults(Protocol):
    """An app that tells what of it failed."""

    def part_failed(self, part: str, error: Exception) -> str:
        """Tell it; return what stands in that part's place. Raises it where nobody is told."""


class Guarded(_Base):
    """Goes on after a bug in what it does with a message."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:  # noqa: BLE001 - whatever it is
            self.failed(error)

    def drawn(
        self, part: str, draw: Callable[[], None], tell: Callable[[tuple[Line]], None]
    ) -> None:
        """Draw a part; where it fails have that told in its place: it is tried again at news."""
        try:
            draw()
        except Exception as error:  # noqa: BLE001 - whatever it is
            told: Line = ((self.failed(error, part), "bad"),)
            tell((shorten(told, self.app.size.width),))

    def failed(self, error: Exception, part: str = "") -> str:
        """Tell that it failed, or a part of it; return what stands in its place."""
        part = f"the screen's {part or getattr(self, 'id', None) or type(self).__name__}"
        return cast("HasFaults", self.app).part_failed(part, error)


class Painted(Guarded):
    """Paints that it could not be painted, and tries again with the next frame."""

    _is_blank = False

    def blank(self, *, is_blank: bool) -> None:
        """Paint nothing while what would be painted is not known to be so any more."""
        if is_blank is not self._is_blank:
            self._is_blank = is_blank
            cast("Widget", self).refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        if self._is_blank:
            return [Strip.blank(crop.width)] * crop.height
        try:
            strips: list[Strip] = super().render_lines(crop)  # type: ignore[misc]  # a widget's
        except Exception as error:  # noqa: BLE001 - whatever it is
            told = Strip([Segment(self.failed(error))]).adjust_cell_length(crop.right)
            blank = Strip.blank(crop.width)
            return [told.crop(crop.x, crop.right), *[blank] * (crop.height - 1)][: crop.height]
        return strips

"""Lines that are drawn when they are seen and repainted only when they changed: the ground of tables and maps."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gpumon_tui.widgets.fitting import width_of

_MOST_KEPT = 1000
Pieces: TypeAlias = "list[tuple[str, Style]]"
"""Texts of a line with their styles."""


class Lines(ScrollView):
    """Any number of lines below a head that does not scroll; costs what is visible, whatever the number."""

    DEFAULT_CSS = """
    Lines {
        background: $background;
        padding-left: 1;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        scrollbar-background: $background;
        scrollbar-color: $rule;
    }
    """
    head_height: ClassVar[int] = 0
    """1 with a line at the top that stays, else 0."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, classes=classes)
        self._kept: dict[int, Strip] = {}
        self._styles_by_name: dict[tuple[str, ...], Style] = {}

    @abstractmethod
    def draw(self, number: int) -> Strip:
        """Line `number` of the body, over the whole width; blank behind the end."""

    def draw_head(self) -> Strip:
        """The head."""
        raise NotImplementedError

    @property
    def copied(self) -> str:
        """What a key copies; empty where there is nothing to copy."""
        return ""

    @property
    def inner_width(self) -> int:
        """Cells of a line; the last column is the scrollbar's, there or not, so that nothing moves."""
        return max(0, self.size.width - 1)

    @property
    def seen_height(self) -> int:
        """How many lines of the body are visible."""
        return max(0, self.size.height - self.head_height)

    def style(self, *names: str) -> Style:
        """The style of component classes, the later over the earlier; the widget's own without any."""
        found = self._styles_by_name.get(names)
        if found is None:
            found = self.rich_style
            for name in names:
                found += self.part_style(name)
            self._styles_by_name[names] = found
        return found

    def part_style(self, name: str) -> Style:
        """What one name sets; by default that of the component class."""
        return self.get_component_rich_style(name, partial=True)

    def extend_to(self, width: int, lines: int) -> None:
        """Says how large the body is."""
        size = Size(width, lines + self.head_height)
        if size != self.virtual_size:
            self.virtual_size = size

    def redraw(self) -> None:
        """Repaints those visible lines that changed."""
        if not self.is_attached or not self.size:
            self._kept.clear()
            return
        old, self._kept = self._kept, {}
        first = self.scroll_offset.y
        for number in range(first, first + self.seen_height):
            if old.get(number) != self._line(number):
                self.refresh_line(number + self.head_height)

    def refresh_line(self, y: int) -> None:
        """Repaints one line; Textual's own would say the scrollbar beside it again too, each time."""
        self.refresh(Region(0, y - self.scroll_offset.y, self.inner_width, 1))

    def redraw_line(self, number: int) -> None:
        """Repaints one line of the body."""
        self._kept.pop(number, None)
        self.refresh_line(number + self.head_height)

    def redraw_head(self) -> None:
        """Repaints the head."""
        self.refresh_line(self.scroll_offset.y)

    def redraw_all(self) -> None:
        """Repaints everything, for a change of width or style."""
        self._kept.clear()
        self.refresh()

    def show_line(self, number: int) -> None:
        """Scrolls as little as is needed for line `number` to be visible."""
        first, height = self.scroll_offset.y, self.seen_height
        if number < first:
            self.scroll_to(y=number, animate=False)
        elif height and number >= first + height:
            self.scroll_to(y=number - height + 1, animate=False)

    def is_seen(self, number: int) -> bool:
        """True when line `number` is visible."""
        return self.scroll_offset.y <= number < self.scroll_offset.y + self.seen_height

    def line_at(self, y: int) -> int | None:
        """Which line of the body is at row `y` of the widget; None for the head."""
        return None if y < self.head_height else y - self.head_height + self.scroll_offset.y

    def render_line(self, y: int) -> Strip:
        """Textual's question for one row of the widget."""
        number = self.line_at(y)
        strip = self.draw_head() if number is None else self._line(number)
        left = self.scroll_offset.x
        return strip.crop_extend(left, left + self.inner_width, self.style()).extend_cell_length(
            self.size.width, self.style()
        )

    def notify_style_update(self) -> None:
        """The theme, the focus or a class changed: all styles are asked for again."""
        super().notify_style_update()
        self._styles_by_name.clear()
        self._kept.clear()

    def _line(self, number: int) -> Strip:
        strip = self._kept.get(number)
        if strip is None:
            if len(self._kept) > _MOST_KEPT:
                self._kept.clear()
            strip = self._kept[number] = self.draw(number)
        return strip


def fitting(pieces: Pieces, more: list[Pieces], width: int) -> Pieces:
    """`pieces`, and of `more` as many from the front as fit whole."""
    told = list(pieces)
    left = width - sum(width_of(text) for text, _ in told)
    for group in more:
        left -= sum(width_of(text) for text, _ in group)
        if left < 0:
            break
        told += group
    return told


def joined(pieces: Pieces) -> Strip:
    """A line of pieces, neighbours of one style as one segment."""
    segments: list[Segment] = []
    run: list[str] = []
    last: Style | None = None
    for text, style in pieces:
        if style is not last and run:
            segments.append(Segment("".join(run), last))
            run = []
        last = style
        run.append(text)
    if run:
        segments.append(Segment("".join(run), last))
    return Strip(segments)

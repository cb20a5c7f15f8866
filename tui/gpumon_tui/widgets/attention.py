"""What needs a look, the most urgent first."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from textual import on

from gpumon.columns import Column
from gpumon.model import ClusterSnapshot, Severity
from gpumon.text import shown
from gpumon.units import MISSING
from gpumon_tui.messages import NodeChosen
from gpumon_tui.picture import Picture
from gpumon_tui.tones import SEVERITY_SIGNS, SEVERITY_TONES
from gpumon_tui.widgets.listing import Rows
from gpumon_tui.widgets.table import RowTable


class Concern(msgspec.Struct, frozen=True):
    """Something that needs a look: a finding, or a problem with the data itself."""

    severity: Severity
    text: str
    node: str | None = None
    """Where it is; None when it is nowhere in particular."""


def concerns_of(picture: Picture) -> tuple[Concern, ...]:
    """Findings and problems, each once, the worst first."""
    found = [Concern(each.severity, each.text, each.node) for each in picture.findings]
    known = {each.text for each in found}
    found += [Concern(each.severity, each.text) for each in picture.snapshot.problems if each.text not in known]
    return tuple(sorted(dict.fromkeys(found), key=lambda each: -_SEVERITIES.index(each.severity)))


def _tone(concern: Concern, _: ClusterSnapshot) -> str:
    return SEVERITY_TONES[concern.severity]


_SEVERITIES = tuple(Severity)
_COLUMNS: tuple[Column[Concern], ...] = (
    Column(
        "severity",
        "!",
        1,
        lambda concern, _: concern.severity.value,
        lambda concern, _, __: SEVERITY_SIGNS[concern.severity],
    ),
    Column(
        "text",
        "NEEDS A LOOK",
        20,
        lambda concern, _: concern.text,
        lambda concern, _, __: shown(concern.text) or MISSING,
    ),
)


class AttentionList(RowTable[Concern]):
    """Concerns as a list; choosing one leads to its node."""

    BINDINGS: ClassVar = []

    def __init__(self) -> None:
        super().__init__(Rows(_COLUMNS, lambda concern: concern.text, {"severity": _tone, "text": _tone}))

    def put_concerns(self, picture: Picture) -> None:
        """Shows what was found."""
        self.empty = "" if picture.is_empty else "✓ Nothing needs a look."
        self.put(concerns_of(picture), picture.snapshot)

    @on(RowTable.Chosen)
    def lead_to_node(self, event: RowTable.Chosen) -> None:
        """Enter or a double click goes to the node."""
        event.stop()
        concern = self.selected
        if concern is not None and concern.node:
            self.post_message(NodeChosen(concern.node))

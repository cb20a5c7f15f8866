"""What needs a look, the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.message import Message

from gpumon.columns import Column
from gpumon.findings import Finding
from gpumon.model import ClusterSnapshot
from gpumon.text import shown
from gpumon.units import MISSING
from gpumon_tui.picture import Picture
from gpumon_tui.tones import SEVERITY_SIGNS, SEVERITY_TONES
from gpumon_tui.widgets.table import RowTable, Rows


def _tone(finding: Finding, _: ClusterSnapshot) -> str:
    return SEVERITY_TONES[finding.severity]


_COLUMNS: tuple[Column[Finding], ...] = (
    Column(
        "severity",
        "!",
        1,
        lambda finding, _: finding.severity.value,
        lambda finding, _, __: SEVERITY_SIGNS[finding.severity],
    ),
    Column(
        "text",
        "NEEDS A LOOK",
        20,
        lambda finding, _: finding.text,
        lambda finding, _, __: shown(finding.text) or MISSING,
    ),
)


class AttentionList(RowTable[Finding]):
    """Findings as a list; the cursor leads to a finding's node."""

    BINDINGS: ClassVar = []

    @dataclass
    class NodeChosen(Message):
        """A finding of this node was chosen."""

        node: str

    def __init__(self) -> None:
        super().__init__(
            Rows(_COLUMNS, lambda finding: f"{finding.kind}\0{finding.node}\0{finding.text}", {"severity": _tone, "text": _tone}),  # fmt: skip
        )

    def put_findings(self, picture: Picture) -> None:
        """Shows what was found."""
        self.empty = "" if picture.is_empty else "✓ Nothing needs a look."
        self.put(picture.findings, picture.snapshot)

    @on(RowTable.Chosen)
    def lead_to_node(self, event: RowTable.Chosen) -> None:
        """Enter or a double click goes to the node."""
        event.stop()
        finding = self.selected
        if finding is not None and finding.node:
            self.post_message(self.NodeChosen(finding.node))

"""docs/exporter.md names every series with its labels, every option and every page, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from exporter_readings import FULL, series
from gpumon_exporter.metrics.store import Choice, Store
from gpumon_exporter.options import flags
from gpumon_exporter.service import site
from gpumon_exporter.web.site import Wishes

PAGE = (Path(__file__).parents[2] / "docs" / "exporter.md").read_text(encoding="utf-8")
NOT_OURS = "process_"
"""prometheus_client's own."""


def tables(section: str) -> list[list[str]]:
    """The cells of all rows of a section."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:2] == "| "]
    return [row for row in rows if row[0].startswith("`")]


def words(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def test_every_series_is_documented_with_its_labels_and_every_documented_one_is_there() -> None:
    store = Store(Choice(), 1.0)
    store.publish(FULL, 1e9)
    told = series(b"".join(store.metrics(Wishes()).parts).decode())
    rendered = {(name, frozenset(label for label, _ in labels)) for name, labels in told}
    documented = {(name, frozenset(words(row[1]))) for row in tables("Series") for name in words(row[0])}
    assert {one for one in rendered if not one[0].startswith(NOT_OURS)} == documented


def test_every_option_is_documented() -> None:
    assert {row[0].strip("`") for row in tables("Options")} == set(flags())


def test_every_page_is_documented() -> None:
    store = Store(Choice(), 1.0)
    assert {row[0].strip("`") for row in tables("Pages")} == set(site(store)) - {"/"}

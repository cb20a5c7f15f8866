"""What the dashboard remembers from one run to the next: where one was, and how it was arranged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkstemp

import msgspec

from gpumon.text import shown

_MOST_BYTES = 1 << 20


class KeptView(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one view was arranged."""

    filter: str = ""
    sort: str = ""
    """The column that rows were sorted by; empty for none."""
    is_descending: bool = False
    columns: tuple[str, ...] = ()
    """Those that were chosen; () for the usual ones."""
    metric: str = ""
    """What the cells of the map showed."""
    colouring: str = ""
    """Whether they showed owners instead."""


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the dashboard of one cluster was left; what is empty was never changed."""

    view: str = ""
    """The name of the open view."""
    theme: str = ""
    configured_theme: str = ""
    """What the configuration wanted then: when it wants something else now, it is right."""
    views: dict[str, KeptView] = {}
    """By the names of the views."""


class _File(msgspec.Struct, frozen=True):
    clusters: dict[str, Kept] = {}


class Memory:
    """One file for all clusters; what cannot be read or written is forgotten, and that is no failure."""

    def __init__(self, path: Path, cluster: str) -> None:
        self.path = path
        self.notice = ""
        """Why nothing is remembered, in a sentence; empty when nothing went wrong."""
        self._cluster = cluster

    def recall(self) -> Kept:
        """How the last run ended."""
        try:
            return self._read().clusters.get(self._cluster, Kept())
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else shown(str(error), 100)
            self.notice = f"{shown(str(self.path), 100)} cannot be used ({why}); the dashboard begins afresh."
            return Kept()

    def keep(self, kept: Kept) -> None:
        """Puts it in the place of what was kept before, whole or not at all."""
        try:
            clusters = dict(self._read().clusters)
        except (OSError, ValueError):
            clusters = {}
        clusters[self._cluster] = kept
        try:
            self._write(msgspec.json.format(msgspec.json.encode(_File(clusters))))
        except OSError:  # a full disk or a read-only home is no reason to disturb anybody
            return

    def _read(self) -> _File:
        try:
            with self.path.open("rb") as stream:
                content = stream.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return _File()
        return msgspec.json.decode(content, type=_File)

    def _write(self, content: bytes) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = mkstemp(dir=self.path.parent, prefix=".dashboard-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(name).replace(self.path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def memory_path(environ: Mapping[str, str]) -> Path:
    """Where a user's programs remember things."""
    chosen = environ.get("XDG_STATE_HOME", "")
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111  # Path's own fails without a home
    return (Path(chosen) if chosen.startswith("/") else home / ".local/state") / "gpumon/dashboard.json"

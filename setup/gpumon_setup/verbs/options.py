"""What was typed behind `gpumon setup`, with defaults for what was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SetupOptions:
    """One command line."""

    verb: str = "apply"
    config: str | None = None
    """The configuration's path; None for the usual places."""
    limit_to: Sequence[str] = ()
    """Hostlists of machines that it is about; empty for all."""
    only: Sequence[str] = ()
    """Components that it is about; empty for all."""
    yes: bool = False
    """True when nobody is asked."""
    json: bool = False
    check: bool = False
    """True when nothing is done, and the exit code says whether something would be."""
    no_diff: bool = False
    allow_busy: bool = False
    """True when jobs on a machine are no reason to wait."""
    image_archive: str = ""
    """Where images come from instead of a registry; "" for what the configuration says."""
    file: str = ""
    """What `save-images` writes."""
    on: str = ""
    """The machine of the cluster whose engine does so; "" for this one's."""
    keep_data: bool = False
    apply_gce: bool = False
    """True when Google's own firewall is changed too, by the gcloud of this machine."""
    source: str = "auto"
    """Where `init` looks: "slurm", "hosts" or "auto"."""
    nodes: Sequence[str] = ()
    """Hostlists of the nodes that are added or removed."""
    address: str = ""
    """Where the node that is added is found; "" for its name."""
    force: bool = False
    """True when nodes are taken out of the configuration though they could not be cleared."""
    master: str = ""
    """For `init`: the machine that gathers all; "" for this one."""

    @property
    def config_path(self) -> Path | None:
        """The configuration's path; None for the usual places."""
        return Path(self.config) if self.config else None

    @classmethod
    def of(cls, namespace: object) -> SetupOptions:
        """From whatever argparse filled."""
        told: dict[str, Any] = {field.name: getattr(namespace, field.name, None) for field in fields(cls)}
        return cls(**{name: value for name, value in told.items() if value is not None})


def parted(words: Sequence[str]) -> tuple[str, ...]:
    """Words of "a,b" and of several flags alike."""
    return tuple(part.strip() for word in words for part in word.split(",") if part.strip())

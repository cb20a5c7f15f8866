"""gpumon setup itself, whose only component wants one file and one unit: what the rivals are given, through all of it.

Nothing is left out: the command line, the lock on the master, all facts, the plan, the records, a second look.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import ClassVar

from gpumon.config.keys import Key
from gpumon_cli.main import main
from gpumon_setup import components
from gpumon_setup.components import Place
from gpumon_setup.resources import File, Resource, Unit


class Beacon:
    """The same as in setup_tasks/beacon.sh."""

    name: ClassVar[str] = "beacon"
    purpose: ClassVar[str] = "something small"
    keys: ClassVar[tuple[Key, ...]] = ()

    def wanted(self, place: Place) -> Sequence[Resource]:
        """On every machine."""
        del place
        return File("/etc/beacon.conf", b"interval = 15\n"), Unit("beacon.service")


components.COMPONENTS = (Beacon(),)

if __name__ == "__main__":
    sys.exit(main(["setup", *sys.argv[1:]]))

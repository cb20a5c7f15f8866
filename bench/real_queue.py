"""A real slurmctld whose queue grows to a size, for as long as a benchmark needs it."""

from __future__ import annotations

from dataclasses import dataclass

from real.daemons import until
from slurm_site.layout import ADA, BOB, CLEO, FAY
from slurm_site.site import SlurmSite

USERS = (ADA, BOB, CLEO, FAY)
RUNNING = 12
"""Jobs that hold a GPU each, beside those that wait."""


@dataclass
class RealQueue:
    """The queue of a cluster."""

    site: SlurmSite
    waiting: int = 0
    """Records that wait, each a job of its own."""

    def run_some(self) -> None:
        """Lets a few jobs hold GPUs."""
        for number in range(RUNNING):
            self.site.submit(USERS[number % 3], "--gres=gpu:h100:1")
        until(lambda: self._count("--states=RUNNING") == RUNNING, "running jobs")

    def grow(self, waiting: int) -> None:
        """Adds jobs that wait until there are so many; the database has heard of all when it returns."""
        more = (waiting - self.waiting) // len(USERS)
        for user in USERS:
            array = self.site.submit(
                user,
                f"--array=0-{more - 1}",
                "--hold",
                "--gres=gpu:h100:1",
                "--time=60",
                "--job-name=train-and-evaluate",
            )
            # A task that differs from the rest of its array is a record of its own, and costs what a job costs.
            self.site.run("scontrol", "update", f"JobId={array}_[0-{more - 2}]", "Comment=alone")
        self.waiting += more * len(USERS)
        until(lambda: self._count("--states=PENDING") == self.waiting, f"{self.waiting} waiting jobs")
        until(lambda: "DBD Agent queue size: 0" in self.site.run("sdiag"), "the database", seconds=300)

    def _count(self, *states: str) -> int:
        return self.site.run("squeue", "--noheader", "--all", "--format=%i", *states).count("\n")

"""Jobs of every kind that Slurm knows, in every state that a reader has to tell apart, until nothing moves any more."""

from __future__ import annotations

from dataclasses import dataclass, field

from real.daemons import until
from real.slurm.names import FORGED_LINE, FORGED_RECORD, STRANGE_NAMES
from slurm_site.layout import ADA, BOB, CLEO, DAN, FAY
from slurm_site.site import SlurmSite

BRIEF = "exit 0"
DRAINED = 'Xid 79: GPU 3 has fallen off the bus, ticket="#81" | 100 % [ops]'


@dataclass
class Scenario:
    """The jobs of a cluster by what they are for."""

    site: SlurmSite
    ids: dict[str, str] = field(default_factory=dict[str, str])
    """What a job is for -> Slurm's number; of an array that of the whole, of a heterogeneous job that of its head."""
    names: dict[str, str] = field(default_factory=dict[str, str])
    """Slurm's number -> the name that the job was given."""

    def fill(self) -> None:
        """Submits everything and returns when each job is where it should be."""
        self._finish()
        self._run()
        self._preempt()
        self._hold_on()
        self._reserve()
        self._wait()
        self.site.run("scontrol", "update", "node=h03", "state=drain", f"reason={DRAINED}")
        until(lambda: not self._in_motion(), "jobs that have their reason")

    def state(self, what: str) -> str:
        """Slurm's word for where a job is."""
        return self.site.run("squeue", "-h", "-t", "all", "-j", self.ids[what], "-o", "%T").split("\n")[0]

    def _add(
        self, what: str, user: str, *arguments: str, script: str = "exec sleep 7200", name: str | None = None
    ) -> str:
        given = what if name is None else name
        number = self.site.submit(user, f"--job-name={given}", *arguments, script=script)
        self.ids[what] = number
        self.names[number] = given
        return number

    def _until(self, state: str, *kinds: str) -> None:
        until(lambda: {self.state(what) for what in kinds} == {state}, f"{state}: {', '.join(kinds)}")

    def _finish(self) -> None:
        self._add("done", ADA, "--partition=cpu", script=BRIEF)
        self._add("failed", BOB, "--partition=cpu", script="exit 3")
        self._add("killed", CLEO, "--partition=cpu", script="kill -9 $$")
        self._add("cancelled", BOB, "--partition=cpu")
        self._until("COMPLETED", "done")
        self._until("FAILED", "failed", "killed")
        self._until("RUNNING", "cancelled")
        self.site.run("scancel", self.ids["cancelled"], user=BOB)
        self._until("CANCELLED", "cancelled")

    def _run(self) -> None:
        add = self._add
        add("even", ADA, "--nodes=2", "--nodelist=h01,h02", "--gres=gpu:h100:2", "--time=1-00:00:00")
        self._until("RUNNING", "even")
        add("uneven", ADA, "--nodes=2", "--ntasks=2", "--nodelist=h01,h02", "--gpus=5", "--mem=64G", "--qos=high")
        add("per task", CLEO, "--nodes=1", "--ntasks=3", "--nodelist=h02", "--gpus-per-task=1", "--cpus-per-task=4")
        add("forger", BOB, "--nodelist=h03", "--gres=gpu:h100:1", name=FORGED_RECORD)
        add("array", CLEO, "--array=0-18:2%2", "--nodelist=h03", "--gres=gpu:h100:1", "--time=2:00:00")
        add("types", BOB, "--partition=mixed", "--nodelist=duo01", "--gres=gpu:a100:1,gpu:l40s:1")
        self._until("RUNNING", "types")
        add("shards", CLEO, "--partition=mixed", "--nodelist=duo01", "--gres=shard:3")
        add("typed shards", BOB, "--partition=short", "--nodelist=duo01", "--gres=shard:l40s:2")
        add("slices", BOB, "--partition=mixed", "--gres=gpu:a100_1g.5gb:2")
        add("untyped", CLEO, "--partition=plain", "--gres=gpu:1", "--time=UNLIMITED")
        add("suspended", ADA, "--partition=plain", "--gres=gpu:1", "--time=6:00:00")
        add("completing", BOB, "--partition=plain", "--gres=gpu:1")
        add("scavenger", CLEO, "--partition=plain", "--gres=gpu:1", "--qos=scavenger", "--no-requeue")
        add("licensed", DAN, "--partition=cpu", "--licenses=matlab:1")
        add("light", DAN, "--partition=cpu", "--cpus-per-task=3")
        add("lighter", DAN, "--partition=cpu")
        head = add(
            "het",
            ADA,
            "--partition=cpu",
            "--cpus-per-task=4",
            ":",
            "--account=physics",
            "--partition=mixed",
            "--nodelist=duo01",
            "--gres=gpu:a100:1",
        )
        self.names[str(int(head) + 1)] = "het"
        for number, name in enumerate(STRANGE_NAMES):
            add(f"strange {number}", (ADA, BOB, CLEO)[number % 3], "--partition=cpu", name=name)
        add("strange and large", CLEO, "--nodelist=h03", "--gres=gpu:h100:1", name=FORGED_LINE)
        self._until(
            "RUNNING", *(what for what in self.ids if what not in ("done", "failed", "killed", "cancelled", "array"))
        )

    def _hold_on(self) -> None:
        self.site.run("scontrol", "suspend", self.ids["suspended"])
        (self.site.folder / "linger" / self.ids["completing"]).touch()
        self.site.run("scancel", self.ids["completing"])
        self._until("COMPLETING", "completing")
        self._until("SUSPENDED", "suspended")

    def _preempt(self) -> None:
        self._add("vip", ADA, "--partition=plain", "--gres=gpu:1", "--qos=high")
        self._until("PREEMPTED", "scavenger")
        self._until("RUNNING", "vip")

    def _reserve(self) -> None:
        create = ("create", "reservation")
        self.site.run(
            "scontrol",
            *create,
            "reservationname=maint",
            "starttime=now+7days",
            "duration=08:00:00",
            "users=root",
            "flags=maint,ignore_jobs",
            "nodes=h01,h02",
        )
        self.site.run(
            "scontrol",
            *create,
            "reservationname=workshop",
            "starttime=now",
            "duration=06:00:00",
            f"users={BOB},{CLEO}",
            "nodes=h03",
            "flags=ignore_jobs,flex",
        )
        self.site.run(
            "scontrol",
            *create,
            "reservationname=later",
            "starttime=now+1day",
            "duration=1-00:00:00",
            "accounts=ml_nlp",
            "nodes=cpu01",
            "flags=ignore_jobs",
        )

    def _wait(self) -> None:
        add = self._add
        add("held", ADA, "--hold", "--gres=gpu:h100:8", "--time=5:00:00")
        add("after", ADA, f"--dependency=afterok:{self.ids['held']}", "--gres=gpu:1")
        add("never", BOB, f"--dependency=afterok:{self.ids['failed']}", "--gres=gpu:1")
        add("held by admin", CLEO, "--gres=gpu:1", "--begin=now+1hour")
        self.site.run("scontrol", "hold", self.ids["held by admin"])
        add("tonight", BOB, "--gres=gpu:2", "--begin=now+10hours")
        add("over limit", BOB, "--partition=mixed", "--qos=limited", "--nodes=1", "--gres=gpu:l40s:2")
        add("over group", FAY, "--partition=mixed", "--nodes=1", "--gres=gpu:a100:2")
        add("one too many", DAN, "--partition=cpu")
        add("no licence", ADA, "--partition=cpu", "--licenses=matlab:1")
        add("wants gone", ADA, "--nodelist=gone01", "--gres=gpu:h100:1")
        add("too long", ADA, "--gres=gpu:1", "--time=3-00:00:00")
        add("closed", ADA, "--partition=closed")
        add("reserved", BOB, "--partition=cpu", "--reservation=later")
        add("large", ADA, "--nodes=2", "--gres=gpu:h100:8", "--cpus-per-task=64", "--qos=high", "--time=1-12:00:00")
        add("larger", BOB, "--nodes=2", "--gpus-per-node=h100:8", "--time=1-00:00:00")
        add("two partitions", BOB, "--partition=long,mixed", "--nodes=1", "--gres=gpu:8", "--nice=5000")
        add("held array", CLEO, "--array=1-5,17,30-300:3%7", "--hold", "--gres=gpu:h100:1")
        add("strange and held", CLEO, "--hold", name=FORGED_LINE)

    def _in_motion(self) -> bool:
        told = self.site.run("squeue", "-h", "-r", "-t", "PD", "-o", "%r")
        return "None" in told.split("\n")

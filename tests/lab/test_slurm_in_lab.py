"""Slurm in the lab is the real one: it hands the nodes' GPUs to jobs, and takes them back."""

from __future__ import annotations

import pytest

from lab.archive import NEWEST
from lab.hosts import Lab
from lab.plan import Plan
from real.daemons import until

METRICS = "MetricsType=metrics/openmetrics\n"
PLAN = Plan(machines=3, suite=NEWEST, flavor="slurm", gpus=2, is_slurm_on=True, slurm_extra=METRICS, has_gpumon=True)
pytestmark = pytest.mark.lab(PLAN)


def test_every_node_is_idle_with_its_gpus(lab: Lab) -> None:
    until(lambda: lab.master.sh("sinfo -hN -o '%N %t'").split() == ["node1", "idle", "node2", "idle"], "nodes are idle")
    assert lab.master.sh("sinfo -h -o %G").strip() == "gpu:h100:2"


def test_a_job_gets_the_gpus_that_it_asked_for(lab: Lab) -> None:
    told = lab.master.sh("srun -N2 --gres gpu:1 sh -c 'echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES'")
    assert sorted(told.splitlines()) == ["node1 0", "node2 0"]
    lab.master.sh("sbatch -Q -N1 --gres gpu:h100:2 --wrap 'sleep 600'")
    until(lambda: lab.master.sh("squeue -h -t R -o %b").strip() == "gres/gpu:h100:2", "the job runs")
    lab.master.sh("scancel -u ops")


def test_slurmctlds_own_metrics_answer(lab: Lab) -> None:
    assert "slurm_nodes 2" in lab.master.sh("curl -sf localhost:6817/metrics/nodes")


def test_a_job_outlasts_a_reboot_of_the_master(lab: Lab) -> None:
    lab.master.sh("sbatch -Q -N1 -J lasting --wrap 'sleep 600'")
    lab.master.power.reboot()
    until(lambda: lab.master.ssh("squeue -h -t R -o %j").stdout.strip() == "lasting", "the job is known again")
    lab.master.sh("scancel -n lasting")


def test_the_master_has_this_clones_gpumon(lab: Lab) -> None:
    assert "DEMO" in lab.master.sh("gpumon nodes --demo")
    assert lab.master.ssh("gpumon status").returncode != 0

"""Slurm as gpumon's own exporter tells it: all of it on one page, and its single jobs on another."""

from __future__ import annotations

from gpumon_demo.cluster import Cluster
from gpumon_demo.exposition import Page
from gpumon_demo.health_text import put_health
from gpumon_demo.job_text import put_jobs
from gpumon_demo.partition_text import put_partitions, put_reservations
from gpumon_demo.queue_text import put_finished, put_queue
from gpumon_demo.slurm_node_text import put_nodes
from gpumon_demo.vpenso_text import put_vpenso


def slurm(cluster: Cluster) -> str:
    """The page of everything."""
    page, simulation = Page(), cluster.simulation
    text = "Simulated data: the seed and size of the cluster that does not exist."
    labels = {"seed": str(simulation.seed), "nodes": str(simulation.size)}
    page.family("gpumon_demo_info", "gauge", text, [(labels, 1)])
    put_nodes(page, cluster)
    put_partitions(page, cluster)
    put_reservations(page, cluster)
    put_queue(page, cluster)
    put_finished(page, cluster)
    put_vpenso(page, cluster)
    put_jobs(page, cluster)
    put_health(page, cluster)
    return page.text()


def jobs(cluster: Cluster) -> str:
    """The page of single jobs."""
    page = Page()
    put_jobs(page, cluster)
    return page.text()

"""Slurm: its queue, who has what, and how it is itself."""

from __future__ import annotations

from gpumon_setup.dashboards import dashboard
from gpumon_setup.dashboards.dashboard import Dashboard, Variable
from gpumon_setup.dashboards.panel import Query, heading, lines, number
from gpumon_setup.dashboards.promql import CLUSTER, busy, held_by, jobs_running, jobs_waiting, node_gpus
from gpumon_setup.dashboards.table import Column, table

_PARTITION = f'{CLUSTER},partition=~"$partition"'
_WAITING_IN = f'{CLUSTER},partition=~"(.*,)?($partition)(,.*)?"'
"""A waiting job names all partitions in which it may start."""
_JOB = "cluster, job_id, user, account, partition, qos, name, state, nodes"
_WAITING = "cluster, job_id, array_task_id, user, account, partition, qos, name, reason"
_GPUS = node_gpus("gpumon_node_gpus", CLUSTER)
_HELD_GPUS = node_gpus("gpumon_node_gpus_allocated", CLUSTER)
_FINISHED = f"sum by (state) (max by (cluster, partition, state) (gpumon_finished_jobs{{{_PARTITION}}}))"


def _one(metric: str) -> str:
    """A number of which each cluster has one."""
    return f"max by (cluster) ({metric}{{{CLUSTER}}})"


def _by(label: str, metric: str, where: str = CLUSTER, *, but: str = "") -> str:
    """A number for each of something."""
    whole = f"cluster, {label}{f', {but}' if but else ''}"
    return f"sum by ({label}) (max by ({whole}) ({metric}{{{where}}}))"


def _job(metric: str) -> str:
    """A number of each job."""
    return f"max by (cluster, job_id) ({metric}{{{CLUSTER}}})"


def _of(jobs: str, number_of_job: str) -> str:
    """A number of some jobs, and of no others."""
    return f"{number_of_job} and on (cluster, job_id) {jobs}"


_HOLDING_JOBS = f'gpumon_job_info{{{_PARTITION},state!="pending"}}'
_WAITING_JOBS = f'gpumon_job_info{{{_WAITING_IN},state="pending"}}'

DASHBOARD = Dashboard(
    "gpumon-slurm",
    "Slurm",
    "The queue, who has what, and Slurm itself.",
    (dashboard.CLUSTER, Variable("partition", "Partition", f"gpumon_partition_info{{{CLUSTER}}}")),
    (
        number("Slurm answers", "none", Query(f"min(slurm_up{{{CLUSTER}}})"), words={"0": "no", "1": "yes"}),
        number("Told so long ago", "s", Query(f"max(gpumon_exporter_reading_age_seconds{{{CLUSTER}}})"),
               warns_from=120),
        number("Jobs running", "none", Query(f"sum({jobs_running(_PARTITION)})")),
        number("Jobs waiting", "none", Query(f"sum({jobs_waiting(_WAITING_IN)})")),
        number("GPUs in jobs", "percentunit", Query(f"sum({_HELD_GPUS}) / (sum({_GPUS}) > 0)")),
        number("GPUs asked for", "none",
               Query(f"sum(max by (cluster, partition, reason) (gpumon_pending_gpus{{{_WAITING_IN}}}))"),
               about="By jobs that wait."),
        heading("Queue"),
        lines("Jobs", "none", Query(f"sum({jobs_waiting(_WAITING_IN)})", "pending"),
              Query(f"count by (state) (max by (cluster, job_id, state) ({_HOLDING_JOBS}))", "{{state}}")),
        lines("Why jobs wait", "none", Query(_by("reason", "gpumon_pending_jobs", _WAITING_IN, but="partition"),
                                             "{{reason}}"), is_stacked=True),
        lines("GPUs asked for", "none", Query(_by("partition", "gpumon_pending_gpus", _WAITING_IN, but="reason"),
                                              "{{partition}}"), is_stacked=True),
        lines("Longest wait", "s",
              Query(f"time() - min by (partition) (gpumon_oldest_pending_time_seconds{{{_PARTITION}}})",
                    "{{partition}}")),
        heading("Who has what"),
        lines("GPUs by user", "none", Query(f"topk(15, {_by('user', 'gpumon_user_gpus_running')})", "{{user}}"),
              is_stacked=True),
        lines("GPUs by account", "none",
              Query(f"topk(15, {_by('account', 'gpumon_account_gpus_running')})", "{{account}}"), is_stacked=True),
        lines("GPUs in jobs by partition", "percentunit",
              Query(f"{_by('partition', 'gpumon_partition_gpus_allocated', _PARTITION)} / "
                    f"({_by('partition', 'gpumon_partition_gpus', _PARTITION)} > 0)", "{{partition}}"), most=1,
              about="Of the GPUs of its nodes, held from whatever partition."),
        lines("Nodes by state", "none", Query(f"count by (state) (max by (cluster, node, state) (gpumon_node_info"
                                              f"{{{CLUSTER}}}))", "{{state}}"), is_stacked=True),
        lines("Jobs that ended lately, by how", "none", Query(_FINISHED, "{{state}}"), is_stacked=True,
              about="Within the window of the exporter, an hour unless it is told otherwise."),
        heading("Jobs"),
        table(
            "Jobs that run",
            {"cluster": "Cluster", "job_id": "Job", "user": "User", "account": "Account", "partition": "Partition",
             "qos": "QOS", "name": "Name", "state": "State", "nodes": "Nodes"},
            (
                Column("", f"max by ({_JOB}) ({_HOLDING_JOBS})", is_hidden=True),
                Column("GPUs", _of(_HOLDING_JOBS, _job("gpumon_job_gpus"))),
                Column("GPU load", _of(_HOLDING_JOBS, f"avg by (cluster, job_id) ({held_by(busy(CLUSTER), CLUSTER)})"),
                       "percentunit", is_share=True),
                Column("CPUs", _of(_HOLDING_JOBS, _job("gpumon_job_cpus"))),
                Column("Started", f"({_of(_HOLDING_JOBS, _job('gpumon_job_start_time_seconds'))}) * 1000",
                       "dateTimeAsIso"),
                Column("Limit", f"({_of(_HOLDING_JOBS, _job('gpumon_job_end_time_seconds'))}) * 1000", "dateTimeAsIso"),
            ),
            about="Of a card that several jobs share, each job has the load of the whole card.",
            empty="none",
            sorted_by="GPUs",
            falls=True,
            height=12,
        ),
        table(
            "Jobs that wait",
            {"cluster": "Cluster", "job_id": "Job", "array_task_id": "Tasks", "user": "User", "account": "Account",
             "partition": "Partition", "qos": "QOS", "name": "Name", "reason": "Why"},
            (
                Column("", f"max by ({_WAITING}) ({_WAITING_JOBS})", is_hidden=True),
                Column("GPUs", _of(_WAITING_JOBS, _job("gpumon_job_gpus"))),
                Column("Priority", _of(_WAITING_JOBS, _job("gpumon_job_priority"))),
                Column("Submitted", f"({_of(_WAITING_JOBS, _job('gpumon_job_submit_time_seconds'))}) * 1000",
                       "dateTimeAsIso"),
                Column("Planned", f"({_of(_WAITING_JOBS, _job('gpumon_job_estimated_start_time_seconds'))}) * 1000",
                       "dateTimeAsIso"),
            ),
            empty="none",
            sorted_by="Priority",
            falls=True,
            height=12,
        ),
        table(
            "Nodes with a reason",
            {"node": "Node", "state": "State", "flags": "Besides", "reason": "Reason", "reason_user": "Set by"},
            (
                Column("", "max by (node, state, flags, reason, reason_user) "
                           f'(gpumon_node_info{{{CLUSTER},reason!=""}})', is_hidden=True),
                Column("Since", f"max by (node) (gpumon_node_state_since_seconds{{{CLUSTER}}}) * 1000",
                       "dateTimeAsIso"),
            ),
            empty="none",
            width=12,
        ),
        table(
            "Reservations",
            {"reservation": "Reservation", "state": "State", "nodes": "Nodes", "users": "Users",
             "accounts": "Accounts", "partition": "Partition"},
            (
                Column("", "max by (reservation, state, nodes, users, accounts, partition) "
                           f"(gpumon_reservation_info{{{CLUSTER}}})", is_hidden=True),
                *(Column(title, f"max by (reservation) (gpumon_reservation_{which}_time_seconds{{{CLUSTER}}}) * 1000",
                         "dateTimeAsIso") for title, which in (("Begins", "start"), ("Ends", "end"))),
            ),
            empty="none",
            width=12,
        ),
        heading("Slurm itself"),
        lines("A cycle of the scheduler", "µs", Query(_one("slurm_scheduler_last_cycle"), "last"),
              Query(_one("slurm_scheduler_mean_cycle"), "mean"),
              Query(_one("slurm_scheduler_backfill_last_cycle"), "last of backfill")),
        lines("slurmctld", "none", Query(_one("slurm_scheduler_threads"), "threads"),
              Query(_one("slurm_scheduler_queue_size"), "messages to send"),
              Query(_one("slurm_scheduler_dbd_queue_size"), "messages for slurmdbd")),
        lines("Slurm's commands", "s",
              Query(f"max by (command) (gpumon_exporter_command_duration_seconds{{{CLUSTER}}})", "{{command}}"),
              about="How long each takes that the exporter asks."),
    ),
)  # fmt: skip

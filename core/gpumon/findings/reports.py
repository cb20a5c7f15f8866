"""What others report, and what concerns jobs: firing alerts, problems of the picture, GPUs held but idle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gpumon.findings.finding import Finding
from gpumon.model import ClusterSnapshot, Gpu, Severity
from gpumon.settings import Thresholds
from gpumon.text import shown
from gpumon.units import age, share

Check = Callable[[ClusterSnapshot, Thresholds], Iterable[Finding]]

_URGENT = frozenset(("critical", "error", "page", "emergency", "fatal", "high"))
_CALM = frozenset(("info", "information", "notice", "low"))
_MOST_NAMED = 4


def alerts(snapshot: ClusterSnapshot, _: Thresholds) -> Iterator[Finding]:
    """Alerts that fire; those of severity "none" fire always, to prove that alerting works."""
    for alert in snapshot.alerts or ():
        severity = alert.severity.lower()
        if alert.state != "firing" or severity == "none":
            continue
        urgency = Severity.ERROR if severity in _URGENT else Severity.NOTE if severity in _CALM else Severity.WARNING
        name = shown(alert.name, 80)
        where = f" on {shown(alert.node, 80)}" if alert.node else ""
        since = "" if alert.since is None else f" for {age(snapshot.taken_at - alert.since)}"
        summary = f": {shown(alert.summary, 200)}" if alert.summary else ""
        text = f"Alert {name} fires{where}{since}{summary}"
        yield Finding(urgency, "alert", name, "alerts", text, "", alert.node)


def problems(snapshot: ClusterSnapshot, _: Thresholds) -> Iterator[Finding]:
    """Why a part of the picture is missing or old; silent exporters are told with their nodes instead."""
    told = {each.instance for node in snapshot.nodes for each in node.exporters if not each.is_up}
    for problem in snapshot.problems:
        if problem.severity is Severity.NOTE or not told.isdisjoint(problem.text.split()):
            continue
        text, advice = shown(problem.text, 400), shown(problem.advice, 400)
        yield Finding(problem.severity, "problem", problem.part, problem.part, text, advice)


def idle(snapshot: ClusterSnapshot, thresholds: Thresholds) -> Iterator[Finding]:
    """Jobs whose GPUs are idle now; for how long is a question to the history."""
    by_holders: dict[tuple[str, ...], list[Gpu]] = {}
    for gpu in snapshot.gpus:
        if gpu.jobs and not gpu.is_stale and gpu.utilization is not None and gpu.utilization < thresholds.idle_share:
            by_holders.setdefault(gpu.jobs, []).append(gpu)
    for holders, gpus in by_holders.items():
        who = _holders(holders, snapshot)
        named = ", ".join(f"{gpu.device.number} of {shown(gpu.node, 80)}" for gpu in gpus[:_MOST_NAMED])
        more = f" and {len(gpus) - _MOST_NAMED} more" if len(gpus) > _MOST_NAMED else ""
        holds, are = "holds" if len(holders) == 1 else "hold", "is" if len(gpus) == 1 else "are"
        what = f"{holds} {len(gpus)} GPU{'' if len(gpus) == 1 else 's'} that {are} idle now"
        below = f"below {share(thresholds.idle_share)}"
        yield Finding(
            Severity.NOTE,
            "idle",
            who,
            "jobs",
            f"{who[0].upper()}{who[1:]} {what} ({below}): GPU {named}{more}",
            "A pause is normal; if it lasts, ask the user whether the job still needs them.",
            gpus[0].node,
            gpus[0].key,
        )


def _holders(jobs: tuple[str, ...], snapshot: ClusterSnapshot) -> str:
    """ "job 4711 of ann", "jobs 1 and 2"."""
    users = dict.fromkeys(snapshot.job_by_id[job].user for job in jobs if job in snapshot.job_by_id)
    names = [snapshot.job_by_id[job].shown_id if job in snapshot.job_by_id else job for job in jobs]
    of = f" of {shown(', '.join(filter(None, users)), 80)}" if any(users) else ""
    return f"job{'' if len(jobs) == 1 else 's'} {shown(' and '.join(names), 80)}{of}"


SNAPSHOT_CHECKS: tuple[Check, ...] = (alerts, problems, idle)
"""Each looks at a whole snapshot."""

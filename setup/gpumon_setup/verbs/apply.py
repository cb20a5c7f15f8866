"""`gpumon setup`: looks, shows, asks, does exactly what was shown, and looks again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from threading import Lock

from gpumon.errors import GpumonError
from gpumon_setup.fleet import locked
from gpumon_setup.plan import Plan
from gpumon_setup.verbs import google, verify
from gpumon_setup.verbs import plan as planning
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import opened
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.session import Session
from gpumon_setup.verbs.talk import is_agreed, narrate, put


def run(options: SetupOptions) -> int:
    """Brings the cluster to where the configuration wants it."""
    if options.check:
        return planning.run(options)

    def planned(session: Session) -> Plan:
        session.gather()
        return session.plan(allow_busy=options.allow_busy)

    with opened(options) as session, locked(session.fleet.host(session.inventory.master.name)):
        narrate(f"Looking at {len(session.names)} machines …")
        code = carry_out(session, planned, options, lambda: _proved(session, options))
        if code == SetupCode.OK:
            google.let_through(session.site, applies=options.apply_gce)
            for line in (*verify.next_lines(session), *session.advice()):
                narrate(line)
        return code


def _proved(session: Session, options: SetupOptions) -> SetupCode:
    """Whether what was done works; only where Prometheus is part of it."""
    if not any(one.name == "prometheus" for one in session.components) or "prometheus" in session.inventory.without:
        return SetupCode.OK
    checks = verify.checked(session, intervals=3, spare=verify.FIRST_SECONDS)
    lines = list(verify.check_lines(checks))
    if options.json:  # its one object is the plan
        for line in lines:
            narrate(line)
    else:
        put(lines)
    return verify.code_of(session, checks)


def carry_out(
    session: Session,
    planned: Callable[[Session], Plan],
    options: SetupOptions,
    proved: Callable[[], SetupCode] = lambda: SetupCode.OK,
) -> int:
    """Shows what is planned, asks, does it, and plans once more: then nothing may be left, and what is there works."""
    plan = planned(session)
    planning.show(plan, options)
    if not plan.has_changes:
        return planning.plan_code(plan)
    if not options.yes and not is_agreed("Do all this?"):
        narrate("Nothing was done.")
        return SetupCode.INCOMPLETE
    if performed(session, plan):
        narrate("Run it again when that is mended: what is done stays done.")
        return SetupCode.INCOMPLETE
    after = planned(session)
    if after.has_changes:
        narrate("This is still to be done, or was undone by somebody else meanwhile:")
        planning.show(after, options)
        return SetupCode.INCOMPLETE
    narrate("Everything is as planned." if after.is_clean else "All that can be done now is done.")
    return max(planning.plan_code(after), proved())


def performed(session: Session, plan: Plan) -> Mapping[str, GpumonError]:
    """Carries out a plan and tells of each change; what failed, by machine. Ctrl-C says what was done and what not."""
    progress = _Progress(plan)
    try:
        failed = session.apply(plan, progress.done)
    except KeyboardInterrupt:
        put(progress.lines())
        raise
    for error in failed.values():
        narrate(str(error))
    if failed:
        put(progress.lines(failed))
    return failed


class _Progress:
    """How far each machine has come."""

    def __init__(self, plan: Plan) -> None:
        self._plans = {host.host: host for host in plan.hosts if host.changes and not host.obstacles}
        self._done = dict.fromkeys(self._plans, 0)
        self._lock = Lock()

    def done(self, host: str, number: int) -> None:
        """One more change is made."""
        changes = self._plans[host].changes
        with self._lock:
            self._done[host] = number + 1
        narrate(f"{host}: {number + 1}/{len(changes)} {changes[number].words}")

    def lines(self, failed: Collection[str] = ()) -> list[str]:
        """What was done and what was not, by machine."""
        lines: list[str] = []
        for host, plan in self._plans.items():
            count = self._done[host]
            if count == len(plan.changes):
                lines.append(f"{host}: all {count} changes made")
                continue
            stopped = "failed" if host in failed else "not known to be whole"
            lines.append(f"{host}: {count} of {len(plan.changes)} changes made; {stopped}: {plan.changes[count].words}")
            lines.extend(f"  not begun: {change.words}" for change in plan.changes[count + 1 :])
        return lines

"""`gpumon setup`: looks, shows, asks, does exactly what was shown, and looks again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from threading import Lock
from time import monotonic

from gpumon.errors import GpumonError
from gpumon_setup.plan import Plan, plan_lines
from gpumon_setup.verbs import google, verify
from gpumon_setup.verbs import plan as planning
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import opened
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.session import Session
from gpumon_setup.verbs.talk import accompany, announce, is_agreed, narrate

SILENCE_SECONDS = 5.0
"""After which it is told how a long transfer gets on."""
Show = Callable[[Plan, SetupOptions], None]
"""Shows the plan that is to be carried out."""


def run(options: SetupOptions) -> int:
    """Brings the cluster to where the configuration wants it."""
    if options.check:
        return planning.run(options)
    with opened(options) as session, session.alone():
        return brought_about(session, options)


def brought_about(session: Session, options: SetupOptions, show: Show = planning.show) -> int:
    """How it ends when a session's machines are brought to where they should be; the lock is held already."""

    def planned(session: Session) -> Plan:
        session.gather(to_act=True)
        return session.plan(allow_busy=options.allow_busy)

    announce(len(session.names))
    code = carry_out(session, planned, options, lambda done: _proved(session, options, done), show)
    if code == SetupCode.OK:
        google.let_through(session.site, applies=options.apply_gce)
        for line in (*verify.next_lines(session), *session.advice()):
            narrate(line)
    return code


def _proved(session: Session, options: SetupOptions, done: Plan) -> SetupCode:
    """Whether what was done works; only where Prometheus is part of it."""
    if not any(one.name == "prometheus" for one in session.components) or "prometheus" in session.inventory.without:
        return SetupCode.OK
    checks = verify.checked(session, intervals=3, spare=verify.FIRST_SECONDS, changed=_changed(done))
    accompany(verify.check_lines(checks), is_json=options.json)
    return verify.code_of(session, checks)


def _changed(plan: Plan) -> list[str]:
    return [host.host for host in plan.hosts if host.changes and not host.obstacles]


def carry_out(
    session: Session,
    planned: Callable[[Session], Plan],
    options: SetupOptions,
    proved: Callable[[Plan], SetupCode] = lambda _: SetupCode.OK,
    show: Show = planning.show,
) -> int:
    """Shows what is planned, asks, does it, and plans once more: then nothing may be left, and what is there works."""
    plan = planned(session)
    show(plan, options)
    if not plan.has_changes:
        return planning.plan_code(plan)
    if not options.yes and not is_agreed("Do all this?"):
        narrate("Nothing was done.")
        return SetupCode.INCOMPLETE
    if performed(session, plan, options):
        narrate("Run it again when that is mended: what is done stays done.")
        return SetupCode.INCOMPLETE
    after = planned(session)
    if after.has_changes:
        narrate("This is still to be done, or was undone by somebody else meanwhile:")
        accompany(plan_lines(after, with_diffs=not options.no_diff), is_json=options.json)
        return SetupCode.INCOMPLETE
    for name, reason in after.failures.items():
        if name not in plan.failures:
            narrate(f"{name} went away after the work: {reason}")
    narrate("Everything is as planned." if after.is_clean else "All that can be done now is done.")
    return max(planning.plan_code(after), proved(plan))


def performed(session: Session, plan: Plan, options: SetupOptions) -> Mapping[str, GpumonError]:
    """Carries out a plan and tells of each change; what failed, by machine. Ctrl-C says what was done and what not."""
    progress = _Progress(plan)
    try:
        failed = session.apply(plan, progress.done, progress.sent)
    except KeyboardInterrupt:
        accompany(progress.lines(), is_json=options.json)
        raise
    for error in failed.values():
        narrate(str(error))
    if failed:
        accompany(progress.lines(failed), is_json=options.json)
    return failed


class _Progress:
    """How far each machine has come."""

    def __init__(self, plan: Plan) -> None:
        self._plans = {host.host: host for host in plan.hosts if host.changes and not host.obstacles}
        self._done = dict.fromkeys(self._plans, 0)
        self._told = dict.fromkeys(self._plans, monotonic())
        self._lock = Lock()

    def done(self, host: str, number: int) -> None:
        """One more change is made."""
        changes = self._plans[host].changes
        with self._lock:
            self._done[host] = number + 1
        narrate(f"{host}: {number + 1}/{len(changes)} {changes[number].words}")

    def sent(self, host: str, number: int, so_far: int, size: int) -> None:
        """Some of what a change needs is there; told now and then, so that nobody takes a long way for none."""
        now = monotonic()
        if now - self._told[host] >= SILENCE_SECONDS:
            self._told[host] = now
            of_all = f"{so_far / 1e6:,.0f} of {size / 1e6:,.0f} MB sent"
            narrate(f"{host}: {number + 1}/{len(self._plans[host].changes)} {of_all}")

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

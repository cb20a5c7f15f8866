"""`gpumon setup uninstall`: takes away what gpumon made, by each machine's own records, and nothing else."""

from __future__ import annotations

from gpumon_setup.plan import Plan
from gpumon_setup.verbs import google
from gpumon_setup.verbs import plan as planning
from gpumon_setup.verbs.apply import Show, carry_out
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import opened
from gpumon_setup.verbs.options import SetupOptions, parted
from gpumon_setup.verbs.session import Session
from gpumon_setup.verbs.talk import announce


def run(options: SetupOptions) -> int:
    """Leaves the machines as they were."""
    with opened(options) as session, session.alone():
        code = taken_away(session, options)
        if code == SetupCode.OK and not options.only and not session.limit:
            google.let_through(session.site, applies=options.apply_gce, away=True)
        return code


def taken_away(session: Session, options: SetupOptions, show: Show = planning.show) -> int:
    """How it ends when a session's machines are left as they were; the lock is held already."""
    components = frozenset(parted(options.only)) or None

    def planned(session: Session) -> Plan:
        session.gather(to_act=True)
        return session.plan_removal(components, keeps_data=options.keep_data, allow_busy=options.allow_busy)

    announce(len(session.names))
    return carry_out(session, planned, options, show=show)

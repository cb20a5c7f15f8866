"""`gpumon setup uninstall`: takes away what gpumon made, by each machine's own records, and nothing else."""

from __future__ import annotations

from gpumon_setup.fleet import locked
from gpumon_setup.plan import Plan
from gpumon_setup.verbs import google
from gpumon_setup.verbs.apply import carry_out
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import opened
from gpumon_setup.verbs.options import SetupOptions, parted
from gpumon_setup.verbs.session import Session
from gpumon_setup.verbs.talk import narrate


def run(options: SetupOptions) -> int:
    """Leaves the machines as they were."""
    components = frozenset(parted(options.only)) or None

    def planned(session: Session) -> Plan:
        session.gather()
        return session.plan_removal(components, keeps_data=options.keep_data, allow_busy=options.allow_busy)

    with opened(options) as session, locked(session.fleet.host(session.inventory.master.name)):
        narrate(f"Looking at {len(session.names)} machines …")
        code = carry_out(session, planned, options)
        if code == SetupCode.OK and components is None and not session.limit:
            google.let_through(session.site, applies=options.apply_gce, away=True)
        return code

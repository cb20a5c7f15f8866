"""`gpumon setup verify`: whether all that was set up works, by what the master's Prometheus holds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gpumon.errors import GpumonError
from gpumon.text import shown
from gpumon_setup.components.prometheus import reached
from gpumon_setup.inventory import folded
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import opened
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.session import Session
from gpumon_setup.verbs.talk import announce, narrate, put

if TYPE_CHECKING:
    from gpumon_setup.verify import Check, Verifier

SCHEMA = "gpumon.setup.verify/1"
FIRST_SECONDS = 45.0
"""How long a fresh stack may take beside its scrapes: Grafana makes its database, dcgm-exporter wakes GPUs."""


def run(options: SetupOptions) -> int:
    """Looks, and waits for two scrapes at most."""
    with opened(options) as session:
        announce(len(session.names))
        session.gather()
        checks = checked(session, intervals=2)
        put([_json(checks, session.failures).rstrip()] if options.json else check_lines(checks))
        code = code_of(session, checks)
        if code == SetupCode.OK:
            for line in (*next_lines(session), *session.advice()):
                narrate(line)
        return code


def checked(session: Session, *, intervals: int, spare: float = 0.0, changed: Iterable[str] = ()) -> tuple[Check, ...]:
    """Every check, after waiting for what may yet come; of machines that were just `changed` only what is new counts.

    Raises:
        GpumonError: the master does not answer.
    """
    master = session.inventory.master.name
    if master not in session.facts:
        raise session.silent[master]
    now = time.time() + (session.facts[master].clock_offset_seconds or 0.0)
    verifier = verifier_of(session, dict.fromkeys(changed, now))
    narrate("Asking Prometheus on the master …")
    return verifier.until_well(intervals * verifier.interval + spare)


def code_of(session: Session, checks: Sequence[Check]) -> SetupCode:
    """Whether all is well; a machine that could not be asked is not."""
    for name, error in session.failures.items():
        narrate(f"{name} was not asked: {error}")
    is_well = all(check.is_ok for check in checks) and not session.failures
    return SetupCode.OK if is_well else SetupCode.INCOMPLETE


def verifier_of(session: Session, since: Mapping[str, float]) -> Verifier:
    """What looks at a session's machines; a run that finds nothing to do never loads it."""
    from gpumon_setup.verify import Verifier

    master = session.inventory.master.name
    others = [name for name in session.states if name != master]
    outsider = session.fleet.host(others[0]) if others else None
    # Nobody waits for the numbers of a machine that does not answer: it is told as such.
    names = [name for name in session.names if name in session.states]
    return Verifier(session.site, names, session.fleet.host(master), outsider, since=since)


def check_lines(checks: Sequence[Check]) -> Iterator[str]:
    """What holds, a line for each claim; what does not, a line for each machine."""
    for claim in dict.fromkeys(check.claim for check in checks):
        hosts = [check.host for check in checks if check.claim == claim and check.is_ok]
        if hosts:
            yield f"ok      {claim}: {shown(','.join(folded(hosts)), 400)}"
    for check in checks:
        if not check.is_ok:
            yield f"FAILED  {check.claim}: {check.host}: {shown(check.problem, 400)}. {shown(check.advice, 400)}"
    failed = sum(not check.is_ok for check in checks)
    yield f"{failed} of {len(checks)} checks failed." if failed else f"All {len(checks)} checks are ok."


def next_lines(session: Session) -> Iterator[str]:
    """What a person types next."""
    master = session.inventory.master
    place = session.place(master.name)
    if master.is_local or place is None:
        yield "Next: gpumon status, or gpumon-tui."
        return
    where = reached(place)
    yield f"Next, on {master.name}: gpumon status, or gpumon-tui."
    yield f"From here: ssh -L 9090:{where} {master.name}, and in another terminal gpumon status, or gpumon-tui."


def _json(checks: Sequence[Check], failures: Mapping[str, GpumonError]) -> str:
    document = {
        "schema": SCHEMA,
        "is_ok": all(check.is_ok for check in checks) and not failures,
        "checks": [
            {"claim": check.claim, "host": check.host, "is_ok": check.is_ok, "problem": check.problem or None,
             "advice": check.advice or None}
            for check in checks
        ],
        "failures": {name: str(error) for name, error in failures.items()},
    }  # fmt: skip
    return json.dumps(document, indent=2) + "\n"

"""What the setup takes on three and on eight machines, against a plain script with paramiko, pyinfra and Ansible."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from eight_machines import EightMachines, eight_machines
from lab.failures import LabFailed
from lab.ground import look
from lab.places import places
from results import Report, Row
from setup_rivals import install_rivals, keep_what_was_made, of_the_beacon, of_the_stack
from setup_rounds import SIZES, Measured, measured, typed

ROUNDS = {"beacon": 5, "stack": 3}
NAMES = {"floor": "a plain script with paramiko", "pyinfra": "pyinfra", "Ansible": "Ansible"}
GOALS = {"floor": 1.5, "pyinfra": 1 / 1.5, "Ansible": 1 / 6}
GROWTH_GOAL = 1.3


def beacon(ground: EightMachines, report: Report) -> None:
    """One file's content and one unit that runs, through sudo: the least that there is to do."""
    found = measured(ground, of_the_beacon(ground), ROUNDS["beacon"])
    for size in SIZES:
        ours, what = found["gpumon", size], f"a file and a unit, {size} machines"
        for name, goal in GOALS.items():
            theirs, remark = found[name, size], f"floor: {NAMES[name]}"
            report.add(Row(f"{what}, first run", "ms", ours.first, theirs.first, goal, remark=remark))
            report.add(Row(f"{what}, nothing to do", "ms", ours.again, theirs.again, goal, remark=remark))
        least, remark = found["floor", size], "here and on the machines, which share the cores; floor: the plain script"
        report.add(Row(f"{what}, first run: CPU", "ms", ours.first_cpu, least.first_cpu, None, remark=remark))
        report.add(Row(f"{what}, nothing to do: CPU", "ms", ours.again_cpu, least.again_cpu, None, remark=remark))
    growing(found, "a file and a unit", report)


def stack(ground: EightMachines, report: Report) -> None:
    """node_exporter, dcgm-exporter and Prometheus, from nothing and with nothing to do."""
    contestants = of_the_stack(ground)
    for size in SIZES:
        ground.be_bare()
        typed(contestants[0].argv(ground.hosts(size)))
        keep_what_was_made(ground, ground.hosts(size))
    found = measured(ground, contestants, ROUNDS["stack"])
    for size in SIZES:
        ours, what = found["gpumon", size], f"the stack, {size} machines"
        for name in ("pyinfra", "Ansible"):
            theirs, remark = found[name, size], f"floor: {NAMES[name]}"
            report.add(Row(f"{what}, first deploy", "ms", ours.first, theirs.first, None, remark=remark))
            report.add(Row(f"{what}, nothing to do", "ms", ours.again, theirs.again, None, remark=remark))
        report.add(
            Row(f"{what}, first deploy and its proof", "ms", ours.proved, ours.first, None, remark="floor: without")
        )
        for number, (name, limit) in enumerate((("connections", 1.0), ("round trips", 3.0))):
            counted = [float(login[number]) for login in ours.logins]
            least = [float(login[number]) for login in found["pyinfra", size].logins]
            row = Row(f"{what}, nothing to do: {name} a host", "", counted, least, None, limit, remark="floor: pyinfra")
            report.add(row)
    growing(found, "the stack", report)


def growing(found: Measured, what: str, report: Report) -> None:
    """What five more machines cost."""
    few, many = (found["gpumon", size] for size in SIZES)
    title = f"{what}, {SIZES[1]} machines against {SIZES[0]}"
    report.add(Row(f"{title}, first run", "ms", many.first, few.first, GROWTH_GOAL))
    report.add(Row(f"{title}, nothing to do", "ms", many.again, few.again, GROWTH_GOAL))
    if ("floor", SIZES[0]) in found:
        few, many = (found["floor", size] for size in SIZES)
        report.add(Row(f"{title}, the plain script", "ms", many.again, few.again, None))


def main(names: Sequence[str]) -> int:
    """Measures the named parts, or all."""
    try:
        look(places())
    except LabFailed as missing:
        print(f"left out: {missing}")
        return 0
    install_rivals()
    report = Report("setup")
    report.head()
    for part, gpus in ((beacon, 0), (stack, 2)):
        if not names or part.__name__ in names:
            with eight_machines(gpus) as ground:
                part(ground, report)
    print(f"kept in {report.save()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

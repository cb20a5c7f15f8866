"""What the dashboard costs on a terminal: starting, keys, repainting, traffic, processor and memory."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from statistics import median, quantiles

from floor import bodies
from installed import DASHBOARD, PYTHON
from peer import peer
from pty_program import PtyProgram
from replayed_site import first_requests, replayed
from results import Report, Row
from simulated_site import NODES, Site, site

ROUNDS = 11
KEYS = 60
"""In each round."""
HERE = Path(__file__).parent
MINIMAL = [PYTHON, str(HERE / "minimal_app.py")]
CURSOR = b"48;2;49;66;92"
"""The cursor's background in the dark theme: a key has come as far as the screen when it is written."""
FIRST_NODE = b"gpu-a0"


def dashboard(url: str, interval: float, columns: int = 160, lines: int = 50) -> PtyProgram:
    """Ours, reading from there."""
    return PtyProgram([DASHBOARD, "--prometheus", url, "--interval", f"{interval:g}"], columns, lines)


def starting(place: Site, url: str, report: Report) -> None:
    """First frame and first data."""
    requests, port = first_requests(url), int(url.rpartition(":")[2])
    frames, floors, data, servers = list[float](), list[float](), list[float](), list[float]()
    for _ in range(ROUNDS):
        with PtyProgram(MINIMAL) as minimal:
            floors.append(minimal.until(b"ready"))
        with dashboard(url, 3600) as ours:
            frames.append(ours.until(b"Overview"))
            data.append(ours.until(FIRST_NODE))
        began = time.perf_counter()
        bodies("127.0.0.1", port, requests)
        servers.append((time.perf_counter() - began) * 1000)
    report.add(Row(f"first frame, {place.title}", "ms", frames, floors, 1.25, remark="floor: a minimal Textual app"))
    least = [frame + server for frame, server in zip(frames, servers, strict=True)]
    report.add(Row(f"first data, {place.title}", "ms", data, least, 1.6, remark="floor: its first frame + the server"))


def key_times(program: PtyProgram, signs: Iterable[bytes]) -> list[float]:
    """Milliseconds from a key to each of these signs on the screen."""
    times: list[float] = []
    for sign in signs:
        program.rest(random.uniform(0.03, 0.09))
        times.append(program.until(sign, program.type("j")))
    return times


def keys(place: Site, url: str, report: Report) -> None:
    """A key in the list of jobs, while nothing is refreshed and while everything is, every two seconds."""
    still, busy, floors = list[list[float]](), list[list[float]](), list[list[float]]()
    with PtyProgram(MINIMAL) as minimal, dashboard(url, 2) as ours:
        minimal.until(b"ready")
        ours.until(FIRST_NODE)
        ours.type("4")
        ours.rest(5.0)
        for number in range(ROUNDS):
            ours.type("pg")
            ours.rest(1.5)
            pressed = range(number * KEYS + 1, (number + 1) * KEYS + 1)
            floors.append(key_times(minimal, [f"#{count}#".encode() for count in pressed]))
            still.append(key_times(ours, [CURSOR] * KEYS))
            ours.type("p")
            ours.rest(1.0)
            busy.append(key_times(ours, [CURSOR] * KEYS))
    what, paused = f"key to paint in the list of jobs, {place.title}", "floor: paused"
    report.add(Row(f"{what}: p50", "ms", each(still, median), each(floors, median), 4.0, remark="floor: Static.update"))
    report.add(Row(f"{what}: p50, refreshing", "ms", each(busy, median), each(still, median), None, remark=paused))
    # of all rounds together: in one round the 99th of 60 keys is simply the slowest
    together = [list(chain.from_iterable(rounds)) for rounds in (busy, still)]
    report.add(Row(f"{what}: p99, refreshing", "ms", [p99(together[0])], [p99(together[1])], 2.5, remark=paused))


def p99(values: Sequence[float]) -> float:
    """What only one in a hundred is above."""
    return quantiles(values, n=100, method="inclusive")[98]


def each(rounds: Sequence[Sequence[float]], of: Callable[[Sequence[float]], float]) -> list[float]:
    """One value a round."""
    return [of(times) for times in rounds]


def painting(report: Report) -> None:
    """The map and the list of jobs alone."""
    command = [sys.executable, str(HERE / "painting.py")]
    with PtyProgram(command, 400, 130) as ours, PtyProgram([*command, "plain"], 400, 130) as plain:
        cost = painted({"ours": (ours, "1"), "floor": (plain, "2")})
    agree, remark = "10,000 cells, GPUs of a node agree", "floor: one Segment per cell"
    report.add(Row(f"heatmap, {agree}: CPU", "ms", cost["ours"][0], cost["floor"][0], 0.5, remark=remark))
    report.add(Row(f"heatmap, {agree}: bytes", "KiB", cost["ours"][1], cost["floor"][1], 0.25, remark=remark))
    with PtyProgram(command, 160, 50) as program:
        cost = painted({"few": (program, "3"), "many": (program, "4")})
    report.add(
        Row(
            "repaint of the rows in sight of 20,000: CPU",
            "ms",
            cost["many"][0],
            cost["few"][0],
            1.2,
            remark="floor: 1,000",
        )
    )


def painted(widgets: Mapping[str, tuple[PtyProgram, str]]) -> dict[str, tuple[list[float], list[float]]]:
    """CPU milliseconds and KiB of a repaint of widgets that keys of programs show, in alternation."""
    for program, _ in widgets.values():
        program.rest(6.0)
    found = {name: (list[float](), list[float]()) for name in widgets}
    for _ in range(ROUNDS):
        for name, (program, key) in widgets.items():
            for _ in range(2):  # the first shows it
                program.type(key)
                program.rest(0.5)
            cpu, written = program.cpu_seconds, program.written
            for _ in range(3):
                program.type(key)
                program.rest(0.4)
            found[name][0].append((program.cpu_seconds - cpu) * 1000 / 3)
            found[name][1].append((program.written - written) / 1024 / 3)
    return found


def traffic(place: Site, url: str, report: Report) -> None:
    """What goes to the terminal, while everything changes at each refresh; the peer shows the same cards."""
    for view, key in (("the overview", "1"), ("the list of GPUs", "2")):
        with dashboard(url, 5, 200, 50) as ours, peer(NODES[place.name], 200, 50) as theirs:
            told = beside(ours, theirs, key, lambda program: program.written / 1024)
        what = f"to the terminal, {view}, 5 s, {place.title}"
        report.add(Row(what, "K/s", *told, None, 5.0, remark="floor: the closest peer"))


def processor(place: Site, url: str, report: Report) -> None:
    """Share of a core on each of the views, and the peer's with the same cards."""
    for view, key in (("the overview", "1"), ("the list of GPUs", "2"), ("the list of jobs", "4")):
        with dashboard(url, 5, 200, 50) as ours, peer(NODES[place.name], 200, 50) as theirs:
            told = beside(ours, theirs, key, lambda program: program.cpu_seconds * 100)
        what = f"CPU of a core, {view}, 5 s, {place.title}"
        report.add(Row(what, "%", *told, None, 10.0, remark="floor: the closest peer"))


def beside(
    ours: PtyProgram, theirs: PtyProgram, key: str, count: Callable[[PtyProgram], float]
) -> tuple[list[float], list[float]]:
    """What both count up in a second, side by side, ours on the view of a key."""
    ours.until(FIRST_NODE)
    ours.type(key)
    both, found = (ours, theirs), (list[float](), list[float]())
    rest_together(both, 15.0)
    for _ in range(4):
        before = [count(program) for program in both]
        rest_together(both, 10.0)
        for told, program, was in zip(found, both, before, strict=True):
            told.append((count(program) - was) / 10)
    return found


def rest_together(programs: Sequence[PtyProgram], seconds: float) -> None:
    """Reads what several write for so long: a program that nobody reads would wait."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for program in programs:
            program.rest(0.05)


def memory(place: Site, url: str, report: Report) -> None:
    """What it holds after a minute of refreshes, with every view opened once."""
    with PtyProgram(MINIMAL) as minimal, dashboard(url, 5) as ours:
        minimal.until(b"ready")
        ours.until(FIRST_NODE)
        for key in "23456141":
            ours.type(key)
            ours.rest(8.0)
        row = Row(f"memory, {place.title}", "MiB", [ours.resident_mebibytes], [minimal.resident_mebibytes], 4.0)
        report.add(row)


def main(names: Sequence[str]) -> int:
    """Measures the named parts, or all."""
    at_site = {
        "64": (5.0, (traffic,)),
        "1,024": (5.0, (processor,)),
        "256": (5.0, (starting,)),
        "10,000": (2.0, (starting, keys, memory)),
    }
    report = Report("dashboard")
    report.head()
    if not names or "painting" in names:
        painting(report)
    for name, (step, parts) in at_site.items():
        wanted = [part for part in parts if not names or part.__name__ in names]
        if wanted:
            with site(name) as place, replayed(place, step) as url:
                for part in wanted:
                    part(place, url, report)
    print(f"kept in {report.save()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

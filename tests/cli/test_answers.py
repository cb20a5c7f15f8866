"""Reading once and reading again: what is printed, when, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from cli_handmade import HandmadeSource, cluster
from gpumon.errors import GpumonError, Refused
from gpumon.model import ClusterSnapshot
from gpumon.source import Parts
from gpumon_cli.answers import Answer, Watching, deliver
from gpumon_cli.terminal import Terminal

Capture = pytest.CaptureFixture[str]


class Pauses:
    """Stands for sleeping; after so many pauses somebody presses Ctrl-C."""

    def __init__(self, number: int) -> None:
        self.taken: list[float] = []
        self._left = number

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self._left -= 1
        if self._left <= 0:
            raise KeyboardInterrupt


def words(snapshot: ClusterSnapshot) -> Answer:
    return Answer(f"taken {snapshot.taken_at:.0f}\n", ("a remark",), 1)


def watch(
    *pictures: ClusterSnapshot | GpumonError,
    pauses: Pauses,
    screen: Terminal | None = None,
    every: float = 0,
    preferred: float | None = None,
    put: Callable[[ClusterSnapshot], Answer] = words,
) -> None:
    with pytest.raises(KeyboardInterrupt):
        deliver(HandmadeSource(*pictures), Parts.ALL, put, Watching(every, preferred, pauses), screen or Terminal())


def test_one_reading_is_printed_and_its_code_returned(capsys: Capture) -> None:
    assert deliver(HandmadeSource(cluster()), Parts.ALL, words, Watching(), Terminal()) == 1
    assert capsys.readouterr() == ("taken 1700000000\n", "a remark\n")


def test_a_pipe_gets_one_reading_behind_the_other_and_a_remark_once(capsys: Capture) -> None:
    watch(cluster(), replace(cluster(), taken_at=1.0), pauses=Pauses(2))
    assert capsys.readouterr() == ("taken 1700000000\ntaken 1\n", "a remark\n")


def test_json_is_one_line_a_reading(capsys: Capture) -> None:
    from gpumon_cli.json_text import json_bytes
    from gpumon_cli.shapes import gpus_answer

    watch(
        cluster(),
        pauses=Pauses(3),
        put=lambda snapshot: Answer(json_bytes(gpus_answer(snapshot.gpus, snapshot), to_terminal=False)),
    )
    lines = capsys.readouterr().out.splitlines()
    assert [len(json.loads(line)["gpus"]) for line in lines] == [4, 4, 4]


def test_a_terminal_is_repainted_from_its_top(capsys: Capture) -> None:
    watch(cluster(), pauses=Pauses(1), screen=Terminal(True, False, 80, 24))
    printed = capsys.readouterr().out
    assert printed.startswith("\x1b[H")
    assert "every 15s" in printed
    assert "taken 1700000000\x1b[K\n" in printed
    assert printed.endswith("\x1b[J")


def test_a_long_answer_is_cut_to_the_terminals_height(capsys: Capture) -> None:
    watch(
        cluster(),
        pauses=Pauses(1),
        screen=Terminal(True, False, 80, 10),
        put=lambda _: Answer("".join(f"row {number}\n" for number in range(100))),
    )
    printed = capsys.readouterr().out
    assert printed.count("\n") < 10
    assert "… 93 more lines" in printed


def test_remarks_that_wrap_are_counted_with_their_lines(capsys: Capture) -> None:
    watch(
        cluster(),
        pauses=Pauses(1),
        screen=Terminal(True, False, 80, 10),
        put=lambda _: Answer("".join(f"row {number}\n" for number in range(100)), ("x" * 170,)),
    )
    printed = capsys.readouterr().out
    assert printed.count("\n") == 10 - 3 - 1


@pytest.mark.parametrize(
    ("every", "preferred", "scrape", "pause"),
    [(2, 5, 15, 2), (0, 5, 15, 5), (0, None, 15, 15), (0, None, None, 15)],
)
def test_the_pace_is_what_was_typed_then_configured_then_scraped(
    every: float, preferred: float | None, scrape: float | None, pause: float
) -> None:
    pauses = Pauses(1)
    watch(cluster(scrape_interval_seconds=scrape), pauses=pauses, every=every, preferred=preferred)
    assert pauses.taken == [pause]


def test_a_source_that_fails_while_watched_is_a_remark_and_is_tried_again(capsys: Capture) -> None:
    pauses = Pauses(4)
    watch(cluster(), Refused("it refused.\x1b"), Refused("it refused again."), cluster(), pauses=pauses)
    printed = capsys.readouterr()
    assert printed.out.count("taken") == 2
    assert "! it refused.\\e Trying again in 15s." in printed.err
    assert "it refused again." in printed.err
    assert len(pauses.taken) == 4


def test_a_source_that_fails_at_once_is_a_failure() -> None:
    with pytest.raises(Refused):
        deliver(HandmadeSource(Refused("no")), Parts.ALL, words, Watching(0), Terminal())

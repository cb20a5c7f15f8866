"""Slurm's commands as questions: each has its answer, or one sentence on why there is none."""

from __future__ import annotations

import codecs
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from gpumon_exporter.clock import Clock
from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.log import one_line
from gpumon_exporter.slurm.child import Bounds, Ended, Excess, Overdue, Stopped
from gpumon_exporter.slurm.records import CommandResult

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

USUAL_BYTES = 64 * 2**20
"""What a command may print: 100,000 jobs are half of that."""
_OURS = ("SQUEUE_", "SINFO_", "SACCT_", "SCONTROL_", "SSHARE_", "SLURM_")
_KEPT = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT")
_DENIED = "Access/permission denied"
_RIGHTS = "with PrivateData in slurm.conf the exporter's user needs AdminLevel=Operator"
_ALWAYS = {
    "LC_ALL": "C",
    "SLURM_TIME_FORMAT": "%s",
    "SLURM_BITSTR_LEN": "0",  # else squeue cuts the task numbers of an array
}


class Answer(Protocol[T_co]):
    """Takes what a command prints."""

    def feed(self, text: str) -> None:
        """Takes the next piece.

        Raises:
            NoAnswer: it is not understood.
        """
        ...

    def done(self) -> T_co:
        """What it says.

        Raises:
            NoAnswer: it is not understood.
        """
        ...


class Whole(Generic[T]):
    """An answer that is read when all of it is there."""

    def __init__(self, read: Callable[[str], T]) -> None:
        self._read = read
        self._pieces: list[str] = []

    def feed(self, text: str) -> None:
        """Keeps it."""
        self._pieces.append(text)

    def done(self) -> T:
        """What it says."""
        return self._read("".join(self._pieces))


class Run(Protocol):
    """Runs one program, as `Children.run` does."""

    def __call__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        bounds: Bounds,
        feed: Callable[[bytes], None],
        /,
    ) -> Ended:
        """How it ended."""
        ...


class Commands:
    """Asks Slurm's commands, one after the other, and remembers how the last run of each went."""

    def __init__(self, folder: Path | None, seconds: float, run: Run, clock: Clock) -> None:
        """Commands from `folder` (None: from the PATH) that may take so long each."""
        self._folder = folder
        self.seconds = seconds
        """What one command may take."""
        self._run = run
        self._clock = clock
        self._results: dict[str, CommandResult] = {}

    @property
    def results(self) -> tuple[CommandResult, ...]:
        """How the last run of each command went."""
        return tuple(self._results.values())

    def ask(
        self, name: str, command: Sequence[str], answer: Answer[T], *, most: int = USUAL_BYTES, forgives: str = ""
    ) -> T:
        """What `command` answers.

        Args:
            name: what it is called in metrics and in the log.
            command: the program and its arguments.
            answer: takes its output.
            most: bytes of it.
            forgives: words of a complaint with which a failure is an answer, too.

        Raises:
            NoAnswer: there is none; the same is in the results.
        """
        began = self._clock.passed()
        error = ""
        try:
            self._pass_on(name, command, answer, Bounds(self.seconds, most), forgives)
            return answer.done()
        except NoAnswer as failure:
            error = str(failure)
            raise
        finally:
            self._note(name, self._clock.passed() - began, error)

    def _note(self, name: str, seconds: float, error: str) -> None:
        before = self._results.get(name)
        last = before.succeeded_at if before else None
        self._results[name] = CommandResult(name, not error, seconds, error, last if error else self._clock.now())

    def _pass_on(
        self, name: str, command: Sequence[str], answer: Answer[object], bounds: Bounds, forgives: str
    ) -> None:
        """Runs it, and lets `answer` have its output as text."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        program = str(self._folder / command[0]) if self._folder else command[0]
        try:
            ended = self._run([program, *command[1:]], _environment(), bounds, lambda piece: answer.feed(decode(piece)))
        except FileNotFoundError as error:
            raise NoAnswer(_missing(command[0], self._folder)) from error
        except OSError as error:
            raise NoAnswer(f"{program} cannot be run: {error.strerror}") from error
        except Overdue as error:
            raise NoAnswer(f"{name} gave no answer within {bounds.seconds:g} s") from error
        except Excess as error:
            raise NoAnswer(f"{name} printed more than {bounds.bytes >> 20} MiB") from error
        except Stopped as error:
            raise NoAnswer(f"{name} was stopped: the exporter ends") from error
        answer.feed(decode(b"", final=True))
        if ended.code and not (forgives and forgives in ended.complaint):
            raise NoAnswer(f"{name} failed: {_complaint(ended)}")


def _missing(program: str, folder: Path | None) -> str:
    where = f"not in {folder}" if folder else f"in no folder of PATH ({os.environ.get('PATH', os.defpath)})"
    return f"{program} is {where}: install Slurm's commands on this machine, or name their folder with --slurm-bin"


def _environment() -> dict[str, str]:
    """Ours, without what changes the form of an answer."""
    kept = {key: value for key, value in os.environ.items() if key in _KEPT or not key.startswith(_OURS)}
    return {**kept, **_ALWAYS}


def _complaint(ended: Ended) -> str:
    """Why it failed, in its own words."""
    lines = [line.strip() for line in ended.complaint.splitlines() if line.strip()]
    if lines:
        hint = f" ({_RIGHTS})" if _DENIED in ended.complaint else ""
        return one_line("; ".join(dict.fromkeys(lines)) + hint)
    return f"signal {signal.Signals(-ended.code).name}" if ended.code < 0 else f"exit code {ended.code}"

"""A Host by way of a shell: whatever is to be done is one script, sent to the machine's /bin/sh."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import monotonic

from gpumon.text import shown
from gpumon_setup.failures import ConnectionBroke, HostError, HostSilent, StepFailed, StillAtWork, StrangeAnswer
from gpumon_setup.host.actions import RunCommand, SendFile, Step
from gpumon_setup.host.held import HeldScript
from gpumon_setup.host.passwords import Passwords
from gpumon_setup.host.process import Connection, Process
from gpumon_setup.host.protocol import Held, Outcome
from gpumon_setup.host.script import FAILED, TAKEN, command, performing, quoted, whole
from gpumon_setup.host.sender import sender
from gpumon_setup.host.sudo import RootShell

_MOST_BYTES = 64 << 20
"""More than any answer; a machine that says more is not listened to."""
_SPARE_SECONDS = 120.0
"""For all that a step does beside its commands."""
_NO_FILE = 66
_FOLDER = """
find /var/tmp -maxdepth 1 -name 'gpumon.??????' -mtime +0 -exec rm -rf {} + 2>/dev/null
folder=$(mktemp -d /var/tmp/gpumon.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 129' HUP INT TERM PIPE
echo "$folder"
cat >/dev/null
"""
"""Makes a folder that is there as long as somebody holds it, on a disk: /tmp may be in memory.

What was left a day ago, by a machine that lost its power for instance, goes first.
"""


class ShellHost:
    """A machine that is reached by a connection."""

    def __init__(self, connection: Connection, passwords: Passwords) -> None:
        self._connection = connection
        self._root = RootShell(connection, passwords.sudo)
        self.round_trips = 0
        """Scripts that were run so far."""

    @property
    def name(self) -> str:
        """Its name in the inventory."""
        return self._connection.name

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 60.0, as_root: bool = True) -> Outcome:
        """Runs one command."""
        return self.run_script(command(argv, stdin), seconds=seconds, as_root=as_root)

    def run_script(self, script: str, *, seconds: float = 120.0, as_root: bool = True) -> Outcome:
        """Runs a script in one round trip."""
        return self._talk(whole(script), seconds, as_root=as_root)

    def perform(
        self,
        steps: Sequence[Step],
        *,
        done: Callable[[int], None] = lambda _: None,
        sent: Callable[[int, int, int], None] = lambda _number, _so_far, _size: None,
    ) -> None:
        """Carries out steps by one script, by one more for each that needs a large file, which is sent right before."""
        for first, batch in _batches(steps):
            self._perform(batch, first, done, partial(sent, first))

    def read(self, path: str) -> bytes | None:
        """A file's content."""
        outcome = self.run_script(f"[ -e {quoted(path)} ] || exit {_NO_FILE}\n{command(('cat', '--', path))}")
        if outcome.exit_code == _NO_FILE:
            return None
        if not outcome.is_success:
            raise StrangeAnswer(self.name, f"{path} cannot be read: {_words(outcome.err)}.")
        return outcome.out

    def bring(self, argv: Sequence[str], target: Path, *, seconds: float = 60.0) -> Outcome:
        """Runs one command that writes a file, and brings that here."""
        with self._folder() as folder:
            file = f"{folder}/0"
            written = command([word.replace("{}", file) for word in argv])
            outcome = self.run_script(f"{written} && chown --reference={folder} {file}", seconds=seconds)
            if outcome.is_success:
                self._connection.fetch_file(file, target)
            return outcome

    def hold(self, script: str) -> Held:
        """Starts a script whose input stays open."""
        process = self._root.open()
        process.send(whole(script, reads_input=True).encode())
        return HeldScript(self.name, process)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _perform(
        self, steps: Sequence[Step], first: int, done: Callable[[int], None], sent: Callable[[int, int], None]
    ) -> None:
        """One script, and before it the files that it needs; `first` is the number of its first step."""
        token = secrets.token_hex(16)
        ended = re.compile(rf"{token} done ([0-9]+)")

        def heard(line: str) -> None:
            if match := ended.fullmatch(line):
                done(first + int(match[1]))

        actions = [action for step in steps for action in step.actions]
        seconds = sum(action.seconds for action in actions if isinstance(action, RunCommand | SendFile))
        with self._files([action for action in actions if isinstance(action, SendFile)], sent) as files:
            outcome = self._talk(performing(steps, token, files, sender()), seconds + _SPARE_SECONDS, heard=heard)
        if not outcome.is_success:
            raise self._failure(outcome, steps, token)

    @contextmanager
    def _files(self, wanted: Sequence[SendFile], sent: Callable[[int, int], None]) -> Generator[Mapping[SendFile, str]]:
        """Where the files are that were sent."""
        if not wanted:
            yield {}
            return
        with self._folder() as folder:
            files = {action: f"{folder}/{number}" for number, action in enumerate(wanted)}
            for action, file in files.items():
                self._connection.send_file(action.source, file, sent)
            yield files

    @contextmanager
    def _folder(self) -> Generator[str]:
        """A folder of the user's alone, which goes whatever becomes of us."""
        process = self._connection.open("exec /bin/sh -s")
        process.send(whole(_FOLDER, reads_input=True).encode())
        held = HeldScript(self.name, process)
        try:
            if not held.first_line:
                raise StrangeAnswer(self.name, "no folder can be made in /var/tmp for a large file.")
            yield held.first_line
        finally:
            held.release()

    def _talk(
        self, script: str, seconds: float, *, as_root: bool = True, heard: Callable[[str], None] = lambda _: None
    ) -> Outcome:
        """Sends a script and collects what it says; `heard` gets each line of its output at once."""
        self.round_trips += 1
        process = self._root.open() if as_root else self._connection.open("exec /bin/sh -s")
        try:
            return self._converse(process, script, seconds, heard)
        finally:
            process.close()

    def _converse(self, process: Process, script: str, seconds: float, heard: Callable[[str], None]) -> Outcome:
        deadline = monotonic() + seconds
        said = {"out": bytearray(), "err": bytearray()}
        told = 0
        process.send(script.encode("utf-8", "surrogateescape"))
        process.end_input()
        while True:
            try:
                chunk = process.receive(max(0.0, deadline - monotonic()))
            except TimeoutError:
                raise HostSilent(
                    self.name,
                    f"a script did not end within {seconds:g} s.",
                    advice="The machine may hang, on a dead network file system for instance.",
                ) from None
            if chunk is None:
                return Outcome(process.exit_code(), bytes(said["out"]), bytes(said["err"]))
            stream = said[chunk.stream]
            stream += chunk.data
            if len(stream) > _MOST_BYTES:
                raise StrangeAnswer(self.name, "a script says more than any answer holds.")
            while chunk.stream == "out" and (end := stream.find(b"\n", told)) >= 0:
                heard(stream[told:end].decode("utf-8", "replace"))
                told = end + 1

    def _failure(self, outcome: Outcome, steps: Sequence[Step], token: str) -> HostError:
        """Which step failed, in the words of what failed in it."""
        if outcome.exit_code == TAKEN and (taken := re.search(rf"^{token} taken by (.*)$", outcome.text, re.MULTILINE)):
            return StillAtWork(self.name, taken[1])
        match = re.search(rf"^{token} failed ([0-9]+) ([0-9]+)\n", outcome.text, re.MULTILINE)
        if outcome.exit_code != FAILED or match is None:
            return ConnectionBroke(self.name, f"the work ended in the middle: {_words(outcome.err)}.")
        words = shown(" ".join(outcome.text[match.end() :].split()).rstrip("."), 600)
        said = words or (f"it ended with {match[2]}" if not outcome.err else _words(outcome.err))
        return StepFailed(self.name, f"{steps[int(match[1])].words}: {said}.")


def _batches(steps: Sequence[Step]) -> Iterator[tuple[int, Sequence[Step]]]:
    """Steps in runs, each with the number of its first; one that needs a file is the first of its run."""
    begins = [number for number, step in enumerate(steps) if any(isinstance(one, SendFile) for one in step.actions)]
    cuts = sorted({0, *begins, len(steps)})
    for first, end in pairwise(cuts):
        yield first, steps[first:end]


def _words(complaint: bytes) -> str:
    return shown(" ".join(complaint.decode("utf-8", "replace").split()).rstrip(".") or "it said nothing", 300)

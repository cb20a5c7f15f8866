"""Becoming root on a machine: as root, by sudo without a password, or by sudo with one, found out by trying."""

from __future__ import annotations

import re
import secrets
from time import monotonic

from gpumon.text import shown
from gpumon_setup.failures import HostSilent, SudoPasswordWrong, SudoRefused
from gpumon_setup.host.passwords import SudoPassword
from gpumon_setup.host.process import Connection, Process

ANSWER_SECONDS = 30.0
"""How long sudo may take to ask or to let in: it may have to ask a directory service."""
_REFUSALS = re.compile(
    r"not in the sudoers|not allowed to (execute|run)|may not run sudo|account validation", re.IGNORECASE
)


class RootShell:
    """Opens shells that read a script as root; remembers how that went on this machine."""

    def __init__(self, connection: Connection, password: SudoPassword) -> None:
        self._connection = connection
        self._password = password
        self._needs_nothing = False
        """True once sudo let us in without a password: then a script can be sent at once."""

    def open(self) -> Process:
        """A root shell; raises SudoRefused or SudoPasswordWrong."""
        if self._connection.user == "root":
            return self._connection.open("exec /bin/sh -s")
        if self._needs_nothing:
            return self._connection.open("exec env LC_ALL=C sudo -n -- /bin/sh -s")
        # sudo's question is told from all other words by a text that nobody can know, so that the password is sent
        # to sudo and to nothing else; the shell says the same text when it is there.
        token = secrets.token_hex(16)
        process = self._connection.open(
            f"exec env LC_ALL=C sudo -S -p {token}? -- /bin/sh -c 'echo {token}; exec /bin/sh -s'"
        )
        try:
            self._needs_nothing = not _Entrance(self._connection, process, token, self._password).enter()
        except BaseException:  # Ctrl-C too: nobody else can close the process; it goes on
            process.close()
            raise
        return process


class _Entrance:
    """The talk with sudo until the shell is there."""

    def __init__(self, connection: Connection, process: Process, token: str, password: SudoPassword) -> None:
        self._where = connection.name
        self._user = connection.user
        self._process = process
        self._question, self._welcome = f"{token}?".encode(), f"{token}\n".encode()
        self._password = password
        self._said = {"out": b"", "err": b""}

    def enter(self) -> bool:
        """Whether a password was needed."""
        was_asked = False
        deadline = monotonic() + ANSWER_SECONDS
        try:
            while self._welcome not in self._said["out"]:
                if was_asked and self._said["err"].count(self._question) > 1:
                    self._password.refused(self._where)
                    raise SudoPasswordWrong(
                        self._where,
                        f"sudo did not take the password of {self._user}.",
                        advice="No other machine was tried with it." if self._password.refused_by else "",
                    )
                if not was_asked and self._question in self._said["err"]:
                    self._answer()
                    was_asked, deadline = True, monotonic() + ANSWER_SECONDS
                self._listen(deadline)
        finally:
            if was_asked and self._welcome not in self._said["out"]:
                self._password.unknown()
        if was_asked:
            self._password.accepted()
        return was_asked

    def _answer(self) -> None:
        password = self._password.offer()
        if password is None:
            raise SudoPasswordWrong(
                self._where, f"not tried: sudo on {self._password.refused_by} did not take the password."
            )
        self._process.send(password.reveal().encode("utf-8", "surrogateescape") + b"\n")

    def _listen(self, deadline: float) -> None:
        try:
            chunk = self._process.receive(max(0.0, deadline - monotonic()))
        except TimeoutError:
            raise HostSilent(
                self._where,
                f"sudo neither let {self._user} in nor asked a password it could be given: {self._words()}.",
            ) from None
        if chunk is None:
            raise self._refusal()
        self._said[chunk.stream] += chunk.data

    def _refusal(self) -> SudoRefused:
        words = self._words()
        if self._process.exit_code() == 127 or "sudo: not found" in words or "sudo: No such file" in words:
            return SudoRefused(self._where, "there is no sudo.", advice="Install it, or log in as root.")
        if "must have a tty" in words:
            advice = f"Put `Defaults:{self._user} !requiretty` into its sudoers file."
            return SudoRefused(self._where, "sudo wants a terminal.", advice=advice)
        if _REFUSALS.search(words):
            advice = "Let it, or name another user in [setup]."
            return SudoRefused(self._where, f"{self._user} may not use sudo there ({words}).", advice=advice)
        return SudoRefused(self._where, f"sudo did not let {self._user} in: {words}.")

    def _words(self) -> str:
        """sudo's own words, without our question."""
        text = self._said["err"].replace(self._question, b"").decode("utf-8", "replace")
        return shown(" ".join(text.split()).rstrip(".") or "it said nothing", 300)

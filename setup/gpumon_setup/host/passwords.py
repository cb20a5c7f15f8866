"""Passwords as they are needed: asked for once, kept in memory, tried on one machine before all others."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, RLock

from gpumon.settings import Secret
from gpumon.text import shown
from gpumon_setup.host.terminal import Terminal

Ask = Callable[[str], Secret]
"""Asks a person for what the prompt says; raises NoPassword when there is nobody."""


class Passwords:
    """What a person was asked for, so that nobody is asked twice; safe to share between threads."""

    def __init__(self, ask: Ask | None = None) -> None:
        self._terminal = Terminal()
        self._ask = ask or self._terminal.ask
        self._answers: dict[str, Secret] = {}
        self._asking = RLock()
        self.sudo = SudoPassword(lambda: self.answer("Password for sudo: "))
        """The one password by which the user becomes root, everywhere."""

    def answer(self, prompt: str) -> Secret:
        """What was answered to this prompt, asked now if it was not asked before; raises NoPassword."""
        with self._asking:
            if prompt not in self._answers:
                self._answers[prompt] = self._ask(prompt)
            return self._answers[prompt]

    def cancel(self) -> None:
        """Takes back what a person is being asked."""
        self._terminal.cancel()

    def once(self, prompt: str) -> Secret:
        """What is good for one use only, a code for instance; raises NoPassword."""
        with self._asking:
            return self._ask(prompt)

    def passphrase(self, file: str) -> Secret:
        """What opens a private key."""
        return self.answer(f"Passphrase of {shown(file, 200)}: ")

    def login(self, user: str, address: str) -> Secret:
        """What lets a user in."""
        return self.answer(f"Password of {shown(user, 80)}@{shown(address, 200)}: ")


class SudoPassword:
    """One password for all machines: one is tried before the others, since each refusal may lock an account."""

    def __init__(self, ask: Callable[[], Secret]) -> None:
        self._ask = ask
        self._first_try = Lock()
        self._is_proven = False
        self.refused_by = ""
        """The machine that did not take it; "" while none has refused it."""

    def offer(self) -> Secret | None:
        """The password, for one try that ends with `accepted` or `refused`; None when it is known to be wrong."""
        self._first_try.acquire()
        try:
            if self.refused_by:
                self._first_try.release()
                return None
            password = self._ask()
        except BaseException:  # Ctrl-C at the prompt too: all others wait for this lock; it goes on
            self._first_try.release()
            raise
        if self._is_proven:
            self._first_try.release()
        return password

    def accepted(self) -> None:
        """The machine took it: all others may be tried at once."""
        self._is_proven = True
        self._end_first_try()

    def refused(self, host: str) -> None:
        """A machine did not take it; when that was the first, no other is tried."""
        if not self._is_proven:
            self.refused_by = host
        self._end_first_try()

    def unknown(self) -> None:
        """The machine went away before it said anything."""
        self._end_first_try()

    def _end_first_try(self) -> None:
        if self._first_try.locked():
            self._first_try.release()

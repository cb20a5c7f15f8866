"""Being let in: keys that need no passphrase first, then those that do, a password last, while the host asks on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import paramiko

from gpumon.text import shown
from gpumon_setup.failures import ConnectionBroke, LoginRefused, NoPassword
from gpumon_setup.host import Passwords
from gpumon_setup.ssh.endpoint import Endpoint
from gpumon_setup.ssh.keys import Keys


def log_in(transport: paramiko.Transport, endpoint: Endpoint, keys: Keys, passwords: Passwords) -> None:
    """Has the host let us in.

    Raises:
        LoginRefused: it does not.
        ConnectionBroke: it hung up.
    """
    agent = paramiko.Agent() if endpoint.uses_agent else None
    try:
        _Login(transport, endpoint, keys, passwords).with_keys(keys.without_asking(endpoint, agent))
    finally:
        if agent is not None:
            agent.close()


class _Login:
    """One login."""

    def __init__(self, transport: paramiko.Transport, endpoint: Endpoint, keys: Keys, passwords: Passwords) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._keys = keys
        self._passwords = passwords
        self._allowed: Sequence[str] | None = None
        """What the host still accepts; None before it was asked."""
        self._offered: list[str] = []
        """Keys, by what people call them."""

    def with_keys(self, free: Iterator[paramiko.PKey]) -> None:
        """Tries everything there is."""
        try:
            if self._is_in_by_keys(free) or self._is_in_by_keys(self._keys.with_asking(self._endpoint)):
                return
            if self._allows("password", "keyboard-interactive") and self._is_in_by_password():
                return
        except NoPassword as nobody:
            if self._offered:
                raise self._refused(nobody.message) from None
            raise
        except (paramiko.SSHException, EOFError, OSError) as error:
            if len(self._offered) > 1 and not self._transport.is_active():
                raise LoginRefused(
                    self._endpoint.name,
                    f"it hung up after {len(self._offered)} keys: too many for one login.",
                    advice="Name the right one: IdentityFile and IdentitiesOnly yes in ~/.ssh/config.",
                ) from None
            raise ConnectionBroke(self._endpoint.name, f"the login broke off: {shown(str(error), 200)}.") from None
        raise self._refused()

    def _is_in_by_keys(self, keys: Iterator[paramiko.PKey]) -> bool:
        if not self._allows("publickey"):
            return False
        for key in keys:
            self._offered.append(self._keys.called(key))
            try:
                further = self._transport.auth_publickey(self._endpoint.user, key)
            except paramiko.BadAuthenticationType as error:
                self._allowed = error.allowed_types
                return False
            except paramiko.AuthenticationException:
                continue
            if not further:
                return True
            self._allowed = further
            return False
        return False

    def _is_in_by_password(self) -> bool:
        """The password for everything that is asked unseen."""
        user = self._endpoint.user
        try:
            if self._allows("keyboard-interactive"):
                further = self._transport.auth_interactive(user, self._answers)
            else:
                password = self._passwords.login(user, self._endpoint.host).reveal()
                further = self._transport.auth_password(user, password, fallback=False)
        except paramiko.AuthenticationException:
            return False
        return not further

    def _answers(self, _title: str, _instructions: str, questions: Sequence[tuple[str, bool]]) -> list[str]:
        who = f"{shown(self._endpoint.user, 80)}@{shown(self._endpoint.host, 200)}"
        answers: list[str] = []
        for question, _ in questions:
            if "password" in question.lower():
                answers.append(self._passwords.login(self._endpoint.user, self._endpoint.host).reveal())
            else:
                answers.append(self._passwords.once(f"{who}: {shown(question, 200)} ").reveal())
        return answers

    def _allows(self, *kinds: str) -> bool:
        if self._allowed is None:
            try:
                self._transport.auth_none(self._endpoint.user)
            except paramiko.BadAuthenticationType as error:
                self._allowed = error.allowed_types
            else:
                self._allowed = ()
        return any(kind in self._allowed for kind in kinds)

    def _refused(self, more: str = "") -> LoginRefused:
        accepts = shown(", ".join(self._allowed or ()), 200) or "nothing"
        number = len(self._offered)
        tried = shown(", ".join(self._offered), 400)
        keys = f"{number} key{'' if number == 1 else 's'} offered ({tried})" if number else "no key offered"
        return LoginRefused(
            self._endpoint.name,
            f"{self._endpoint.user} is not let in at {self._endpoint.host} port {self._endpoint.port}: "
            f"{keys}, it accepts {accepts}. {more}".rstrip(),
            advice="Put your public key into its authorized_keys (ssh-copy-id), or name user and key in ~/.ssh/config.",
        )

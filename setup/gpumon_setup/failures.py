"""Every failure that the setup expects of the machines it works on; mistakes in a file are the core's ConfigError.

SetupError
├── HostError                 one host cannot be worked on; the others go on
│   ├── Unreachable           no connection: name, address, port, or a jump host
│   ├── HostKeyUnknown        nobody vouched for this host's key yet
│   ├── HostKeyChanged        another key than the one on record
│   ├── HostKeyRevoked        a key that was declared invalid
│   ├── LoginRefused          the host does not let this user in
│   ├── ConnectionBroke       it was there and went away
│   ├── SudoRefused           the user may not become root
│   │   └── SudoPasswordWrong the password was not accepted
│   ├── HostSilent            a command did not end in time
│   ├── StepFailed            a step of the plan failed
│   ├── StillAtWork           what an earlier run began there goes on
│   └── StrangeAnswer         what came back cannot be what was asked for
├── NoPassword                a password is needed and there is nobody to ask
├── Locked                    somebody else is setting this cluster up
└── Stopped                   Ctrl-C, or the end of all work
"""

from __future__ import annotations

from gpumon.errors import GpumonError
from gpumon.text import shown


class SetupError(GpumonError):
    """The setup cannot go on as asked."""


class HostError(SetupError):
    """One host cannot be worked on."""

    def __init__(self, host: str, message: str, *, advice: str = "") -> None:
        super().__init__(f"{host}: {message}", advice=advice)
        self.host = host
        """By its name in the inventory."""
        self.reason = message
        """The sentence without the host's name, for a list that names it already."""


class Unreachable(HostError):
    """No connection could be made."""


class HostKeyUnknown(HostError):
    """Nobody vouched for this host's key yet."""


class HostKeyChanged(HostError):
    """The host shows another key than the one on record: it was installed anew, or somebody stands between."""


class HostKeyRevoked(HostError):
    """The host shows a key that a known_hosts file declares invalid."""


class LoginRefused(HostError):
    """The host lets nobody in with what was offered."""


class ConnectionBroke(HostError):
    """The connection ended in the middle of the work."""


class SudoRefused(HostError):
    """The user may not become root there."""


class SudoPasswordWrong(SudoRefused):
    """sudo did not take the password."""


class HostSilent(HostError):
    """A command did not end within its time."""


class StepFailed(HostError):
    """A step of the plan could not be carried out; those before it were."""


class StillAtWork(HostError):
    """What another run began there goes on, whether its sender still listens or not: two at once would mix."""

    def __init__(self, host: str, who: str) -> None:
        sent = shown(who, 300) or "somebody who did not say who"
        super().__init__(
            host,
            f"another run of gpumon setup is still at work there: by {sent}.",
            advice="Nothing was done there. Run it again once that has come to its end.",
        )


class StrangeAnswer(HostError):
    """What came back cannot be the answer to what was asked."""


class NoPassword(SetupError):
    """A password or passphrase is needed, and there is nobody to ask for it."""


class Locked(SetupError):
    """Somebody else is setting this cluster up."""


class Stopped(SetupError):
    """The work was ended before it was done."""

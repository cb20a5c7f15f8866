"""The fair share of accounts, from sshare."""

from __future__ import annotations

from collections.abc import Iterator

from gpumon_exporter.slurm.records import AccountShare

COMMAND = ("sshare", "-a", "-n", "-P", "-o", "Account,User,FairShare")


def shares(text: str) -> tuple[AccountShare, ...]:
    """The fair share of each account; under fair tree, which has none of its own, the mean of its users'."""
    own: dict[str, float] = {}
    users: dict[str, list[float]] = {}
    for account, user, fairshare in _rows(text):
        if user:
            users.setdefault(account, []).append(fairshare)
        else:
            own[account] = fairshare
    means = {account: sum(found) / len(found) for account, found in users.items()}
    return tuple(AccountShare(account, fairshare) for account, fairshare in {**means, **own}.items())


def _rows(text: str) -> Iterator[tuple[str, str, float]]:
    """Account, user and fair share of those that have one."""
    for line in text.splitlines():
        fields = [field.strip() for field in line.split("|")]
        try:
            account, user, fairshare = fields
            value = float(fairshare)
        except ValueError:
            continue
        if 0 <= value <= 1:
            yield account, user, value

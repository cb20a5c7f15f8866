"""A password that a machine thinks up itself, so that it stands nowhere else: in no plan, no log and no argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import Look, Record, State
from gpumon_setup.host import Action, RunCommand, digest_of
from gpumon_setup.resources.resource import Missing, remembered

MODE = 0o600
_MAKE = """umask 077
fresh=$(mktemp "${1%/*}/.gpumon.XXXXXX") || exit 1
head -c 24 /dev/urandom | base64 | tr '+/' 'xy' >"$fresh"
[ "$(wc -c <"$fresh")" -eq 33 ] && chown "$2" "$fresh" && mv -f "$fresh" "$1" && exit 0
rm -f "$fresh"; exit 1"""
_TELL = 'file=$1; shift; exec "$@" <"$file"'
_GIVE = f'chown "$2" "$1" && chmod {MODE:o} "$1"'
_WHOLE = "made"
"""A record's spec once everybody who must know the secret knows it."""
_EMPTY = digest_of(b"")


@dataclass(frozen=True, slots=True)
class Secret:
    """A random password in a file that only its owner reads. One that is there stays as it is, whatever it is."""

    kind: ClassVar[str] = "secret"
    path: str
    """Without blanks, in a directory that is root's: who owns it could lead root to other files."""
    owner: str = "root:root"
    """User and group, both by name or both by number."""
    database: str = ""
    """A file that remembers the first password for ever: while it is there, a new one must be told to it."""
    telling: tuple[str, ...] = ()
    """The command that does so; it reads the new one from its standard input."""

    @property
    def key(self) -> str:
        """Its path."""
        return self.path

    def look(self, state: State) -> Look:
        """Where it stands; the database too unless all is known to be well."""
        paths = {self.path} if self._is_whole(state) else {self.path, self.database} - {""}
        return Look(files=frozenset(paths))

    def missing(self, state: State) -> Missing | None:
        """None there, one that the database does not know, or one that others can read."""
        now = state.file(self.path)
        if now.is_there and not now.digest:
            return Missing(f"make a password in {self.path}", obstacle=f"{self.path} is no file; move it away.")
        if not self._is_there(state):
            return Missing(f"make a password in {self.path}, which is shown to nobody")
        if not self._is_whole(state):
            return Missing(f"take over the password in {self.path}")
        if now.mode != MODE or self.owner not in (now.owner, now.owner_ids):
            return Missing(f"give {self.path} to {self.owner}, mode {MODE:04o} (now {now.owner}, {now.mode:04o})")
        return None

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """Made in one move, then told; what was not told before a run ended is told by the next."""
        is_there = self._is_there(state)
        known = state.made.get((self.kind, self.path))
        make = RunCommand(("sh", "-c", _GIVE if is_there else _MAKE, "sh", self.path, self.owner))
        # A password without a record was left with its data, which know it.
        must_tell = self._has_database(state) and (not is_there or (known is not None and not self._is_whole(state)))
        tell = (RunCommand(("sh", "-c", _TELL, "sh", self.path, *self.telling)),) if must_tell else ()
        return (
            remembered(Record(self.kind, self.path, component)),
            make,
            *tell,
            remembered(Record(self.kind, self.path, component, _WHOLE)),
        )

    def _is_there(self, state: State) -> bool:
        return state.file(self.path).digest not in ("", _EMPTY)

    def _is_whole(self, state: State) -> bool:
        known = state.made.get((self.kind, self.path))
        is_gone = self.path in state.files and not self._is_there(state)
        return known is not None and known.spec == _WHOLE and not is_gone

    def _has_database(self, state: State) -> bool:
        return bool(self.database) and state.file(self.database).is_there

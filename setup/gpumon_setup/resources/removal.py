"""Taking away what gpumon made, by the machine's own records: what has none is not ours and stays."""

from __future__ import annotations

from collections.abc import Sequence

from gpumon_setup.facts import Record, State
from gpumon_setup.host import Action, RemoveDirectory, RemoveFile, RunCommand, WriteFile
from gpumon_setup.resources import package
from gpumon_setup.resources.block import NEW, without_block
from gpumon_setup.resources.container import stopping
from gpumon_setup.resources.directory import DATA
from gpumon_setup.resources.firewall import removing_rule
from gpumon_setup.resources.resource import Missing, difference, forgotten
from gpumon_setup.resources.unit import WAS_THERE

_ORDER = (
    "firewall",
    "unit",
    "container",
    "image",
    "package",
    "block",
    "file",
    "secret",
    "directory",
    "unit that was there",
)
"""In which kinds go: what runs before what it reads; what ran before us starts again when its files are back."""


def rank(record: Record) -> tuple[int, int, str]:
    """Sorts records into the order in which they go; directories from within."""
    kind = "unit that was there" if record.kind == "unit" and record.detail == WAS_THERE else record.kind
    place = _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
    return place, -record.key.count("/") if kind == "directory" else 0, record.key


def without_data(records: Sequence[Record]) -> list[Record]:
    """Those whose things may go while data stay, and with these the password that they remember.

    What stays is still on record: it is taken over by the next setup, and goes with the next uninstall.
    """
    stay = [one.key for one in records if one.kind == "secret" or (one.kind == "directory" and one.detail == DATA)]
    return [
        one for one in records if one.key not in stay
        and not (one.kind == "directory" and any(path.startswith(f"{one.key}/") for path in stay))
    ]  # fmt: skip


def removal(record: Record, state: State) -> tuple[Missing, tuple[Action, ...]]:
    """What takes one thing away, and the words for it."""
    missing, actions = _removal(record, state)
    return missing, (*actions, forgotten(record)) if actions else ()


def _removal(record: Record, state: State) -> tuple[Missing, tuple[Action, ...]]:
    if record.kind == "file":
        return _file(record, state)
    if record.kind == "block":
        return _block(record, state)
    if record.kind == "directory":
        is_data = record.detail == DATA
        words = f"remove {record.key}" + (" with all that is in it" if is_data else ", if it is empty")
        return Missing(words), (RemoveDirectory(record.key, is_data),)
    if record.kind == "secret":
        return Missing(f"remove {record.key}"), (RemoveFile(record.key),)
    if record.kind == "unit":
        return _unit(record, state)
    if record.kind == "container":
        now = state.containers.get(record.key)
        if now is None or not now.is_ours:
            return Missing(f"forget the container {record.key}, which is gone"), (RemoveFile(record.path),)
        return Missing(f"remove the container {record.key}"), stopping(now)
    if record.kind == "firewall":
        firewall, port, source, *_ = record.key.split(" ")
        return Missing(f"let {source} no longer in to port {port} ({firewall})"), removing_rule(record)
    if record.kind == "image":
        argv = (record.detail, "image", "rm", record.key)
        return Missing(f"remove the image {record.key}"), (RunCommand(argv, ok_codes=(0, 1, 2)),)
    if record.kind == "package":
        return Missing(f"remove the package {record.key}"), (package.removing(record),)
    return Missing(f"remove the {record.kind} {record.key}", obstacle="a newer gpumon made it; use that one."), ()


def _file(record: Record, state: State) -> tuple[Missing, tuple[Action, ...]]:
    now = state.file(record.key)
    edited = " (it was edited by hand)" if now.is_there and now.digest != record.spec else ""
    words = f"put back what stood at {record.key}{edited}" if record.backup else f"remove {record.key}{edited}"
    return Missing(words), (RemoveFile(record.key, record.backup),)


def _block(record: Record, state: State) -> tuple[Missing, tuple[Action, ...]]:
    path, _, name = record.key.partition("#")
    now = state.file(path)
    words = f"take the block {name} out of {path}"
    rest = without_block(now.content or b"", name, record.detail)
    if rest is None:
        return Missing(words, obstacle=f"the marks of the block {name} in {path} are broken; take it out by hand."), ()
    if record.detail == NEW and not rest.strip():
        return Missing(f"remove {path}"), (RemoveFile(path),)
    if rest == (now.content or b""):
        return Missing(f"forget the block {name} in {path}, which is gone"), (RemoveFile(record.path),)
    write = WriteFile(path, rest, now.mode, now.owner_ids, now.digest)
    return Missing(words, difference(path, now.content or b"", rest)), (write,)


def _unit(record: Record, state: State) -> tuple[Missing, tuple[Action, ...]]:
    now = state.unit(record.key)
    if now.load != "loaded":
        return Missing(f"forget {record.key}, which is gone"), (RemoveFile(record.path),)
    if record.detail == WAS_THERE:
        restart = RunCommand(("systemctl", "restart", record.key))
        return Missing(f"restart {record.key}, which ran before"), (restart,)
    argv = ("systemctl", "disable", "--no-reload", "--now", record.key)
    return Missing(f"stop and disable {record.key}"), (RunCommand(argv),)

"""What a user's configuration wants of the dashboard: other keys, other columns; checked against what there is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from gpumon.errors import ConfigError
from gpumon.settings import Settings
from gpumon.text import shown

_HELD = ("ctrl", "shift", "alt", "super", "hyper", "meta")
_NAMED = {each.value for each in Keys} | set(KEY_NAME_REPLACEMENTS.values())


def check(settings: Settings) -> None:
    """Says everything that is wrong with the section of the dashboard.

    Raises:
        ConfigError: it wants what there is not.
    """
    at = f"{shown(str(settings.file), 300)}: tui" if settings.file else "tui"
    mistakes = [f"{at}.{mistake}" for mistake in (*_wrong_keys(settings), *_wrong_columns(settings))]
    if mistakes:
        raise ConfigError(mistakes)


def own_columns(settings: Settings, table: str) -> tuple[str, ...]:
    """The columns that the configuration wants for a table; () for the usual ones."""
    return dict(settings.tui.columns).get(table, ())


def _wrong_keys(settings: Settings) -> Iterator[str]:
    if not settings.tui.keys:
        return
    from gpumon_tui.bindings import PLACES, bindings_of  # every screen, which most users need not wait for

    known = [binding.id or "" for owners in PLACES.values() for binding in bindings_of(*owners)]
    for name, keys in settings.tui.keys:
        if name not in known:
            yield f"keys: nothing is called {_told(name)}{_nearest(name, known, 'docs/keys.md lists the names')}"
        for key in keys.split(","):
            if not _is_key(key.strip()):
                yield f'keys.{shown(name, 80)}: found {_told(key)}; expected a key such as "f10", "ctrl+x" or "n".'


def _wrong_columns(settings: Settings) -> Iterator[str]:
    if not settings.tui.columns:
        return
    from gpumon.columns import GPU_COLUMNS, JOB_COLUMNS, NODE_COLUMNS  # which the first frame does without

    tables = (("gpus", GPU_COLUMNS), ("nodes", NODE_COLUMNS), ("jobs", JOB_COLUMNS), ("idle", JOB_COLUMNS))
    known = {name: [column.key for column in columns] for name, columns in tables}
    for table, keys in settings.tui.columns:
        if table not in known:
            yield f"columns: no table is called {_told(table)}{_nearest(table, known)}"
            continue
        for key in keys:
            if key not in known[table]:
                yield f"columns.{table}: no column is called {_told(key)}{_nearest(key, known[table])}"


def _is_key(key: str) -> bool:
    """True for what a terminal can send, by Textual's name for it or by the character itself."""
    *held, last = key.split("+") if len(key) > 1 else [key]
    if any(each not in _HELD for each in held):
        return False
    return len(last) == 1 or last in _NAMED or _is_character(last)


def _is_character(name: str) -> bool:
    try:
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return False
    return True


def _told(text: str) -> str:
    return f'"{shown(text, 80)}"'


def _nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    names = list(known)
    near = get_close_matches(name, names, 1)
    return f"; did you mean {near[0]}?" if near else f"; {otherwise or 'known are ' + ', '.join(names)}."

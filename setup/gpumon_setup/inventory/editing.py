"""Nodes that are added to a configuration's [setup] or taken out, all else in the file as it was, to the letter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gpumon.config.checking import Mistakes
from gpumon.config.loading import parsed
from gpumon_setup.inventory.drafting import folded
from gpumon_setup.inventory.hostlist import expanded

_HEADER = re.compile(r"[ \t]*\[")


class CannotEdit(Exception):
    """The file is written in a way that is left to a person; says what to change."""


def with_nodes(text: str, nodes: Sequence[str], *, addresses: Mapping[str, str] | None = None) -> str:
    """The configuration with these nodes; machines that are none of them any more lose their own sections.

    Raises:
        CannotEdit: it cannot be done without touching more.
    """
    before = _parsed(text)
    had = _nodes(before)
    lines = text.splitlines(keepends=True)
    first, last = _value(lines)
    indent = lines[first].partition("=")[0]
    rest = _comment(lines[last - 1]) if last - first == 1 else ""
    if last - first > 1 and any("#" in line for line in lines[first:last]):
        raise CannotEdit(f"its list of nodes has comments in it. Make it mean: {', '.join(folded(nodes))}.")
    items = ", ".join(f'"{part}"' for part in folded(nodes))
    lines[first:last] = [f"{indent}= [{items}]{rest}\n"]
    for name in had:
        if name not in nodes:
            lines = _without_section(lines, f"setup.machines.{name}")
    result = "".join(lines)
    for name, address in (addresses or {}).items():
        key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
        result = f'{result.rstrip()}\n\n[setup.machines.{key}]\naddress = "{address}"\n'
    _be_same_but_for(before, result, had, nodes, addresses or {})
    return result


def _be_same_but_for(
    before: dict[str, Any], text: str, had: Sequence[str], nodes: Sequence[str], addresses: Mapping[str, str]
) -> None:
    """Whatever was edited, the file means what it should, and nothing else than before."""
    after = _parsed(text)
    if _nodes(after) != tuple(nodes):
        raise CannotEdit(f"its list of nodes is written in an unusual way. Make it mean: {', '.join(folded(nodes))}.")
    wanted, machines = {**before["setup"], "nodes": after["setup"]["nodes"]}, dict(before["setup"].get("machines", {}))
    for name in {*had} - {*nodes}:
        machines.pop(name, None)
    machines.update({name: {"address": address} for name, address in addresses.items()})
    wanted["machines"] = machines
    if {**after["setup"], "machines": after["setup"].get("machines", {})} != wanted or {
        **before, "setup": None
    } != {**after, "setup": None}:  # fmt: skip
        raise CannotEdit("a section of a machine is written in an unusual way. Change nodes and machines by hand.")


def _nodes(document: Mapping[str, Any]) -> tuple[str, ...]:
    told: Any = document.get("setup", {}).get("nodes", ())
    return expanded(",".join((told,) if isinstance(told, str) else told))


def _value(lines: Sequence[str]) -> tuple[int, int]:
    """The lines of [setup]'s nodes: from the first to behind the last."""
    inside = False
    for number, line in enumerate(lines):
        if _HEADER.match(line):
            inside = line.split("#")[0].strip() == "[setup]"
        elif inside and re.match(r"[ \t]*nodes[ \t]*=", line):
            for last in range(number + 1, len(lines) + 1):
                if _can_be_parsed("".join(lines[number:last])):
                    return number, last
    raise CannotEdit("its [setup] has no line `nodes = [...]`. Change the nodes by hand.")


def _comment(line: str) -> str:
    """What stands behind the value on its line."""
    found = re.search(r"[ \t]+#[^\"'\n]*$", line.rstrip("\n"))
    return found[0] if found else ""


def _without_section(lines: Sequence[str], name: str) -> list[str]:
    """The lines without the section; comments right above the next one belong to that."""
    kept: list[str] = []
    gone: list[str] | None = None
    for line in lines:
        if _HEADER.match(line):
            above = len(gone or ())
            while gone and above and gone[above - 1].lstrip().startswith("#"):
                above -= 1
            kept.extend((gone or [])[above:])
            is_it = line.split("#")[0].strip().strip("[]").replace('"', "").strip() == name
            gone = [] if is_it else None
        (kept if gone is None else gone).append(line)
    while gone is not None and kept and not kept[-1].strip():
        kept.pop()
    return kept


def _can_be_parsed(text: str) -> bool:
    try:
        _parsed(text)
    except CannotEdit:
        return False
    return True


def _parsed(text: str) -> dict[str, Any]:
    mistakes = Mistakes("it")
    document = parsed(text.encode(), mistakes)
    if document is None:
        raise CannotEdit(mistakes.lines[0])
    return dict(document)

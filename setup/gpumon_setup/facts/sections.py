"""A script's answer in sections, told apart by a text that nothing on the machine can know."""

from __future__ import annotations

from collections.abc import Mapping


def parted(answer: bytes, token: str) -> Mapping[str, str]:
    """The sections by name, a second one of a name as "NAME 2"; the line break that ends each is not part of it."""
    sections: dict[str, str] = {}
    for part in ("\n" + answer.decode("utf-8", "replace")).split(f"\n{token} ")[1:]:
        name, _, content = part.partition("\n")
        number = sum(known.partition(" ")[0] == name for known in sections) + 1
        sections[name if number == 1 else f"{name} {number}"] = content
    return sections

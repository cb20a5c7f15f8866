"""What goes to the terminal, with each colour said once: over SSH half of all bytes would be colours said again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import cast

from textual.driver import Driver

_STYLED = re.compile(r"\x1b\[([1-9][0-9;]*)m([^\x1b]*)\x1b\[0m")
"""How rich writes a text with a style: everything is set, and all of it dropped behind the text."""
_MOVES = re.compile(r"(?:\x1b\[\d+;\d+H|\n)*")
"""What does the same whatever colours are set."""
_RESET = "\x1b[0m"
_COLOURS = {"38": "text", "48": "ground"}
_COLOUR_LENGTHS = {"2": 5, "5": 3}
"""Of a colour with its "38" or "48", by the number behind that."""


def thrifty(driver: type[Driver]) -> type[Driver]:
    """The same driver, which leaves away what the terminal knows already."""

    def write(self: Driver, data: str) -> None:
        driver.write(self, shortened(data))

    return cast("type[Driver]", type(f"Thrifty{driver.__name__}", (driver,), {"write": write}))


def shortened(data: str) -> str:
    """Shows the same on a terminal that begins without a style, and ends without one."""
    return "".join(_pieces(data))


def _pieces(data: str) -> Iterator[str]:
    style, end = "", 0
    for match in _STYLED.finditer(data):
        if match.start() > end:
            between = data[end : match.start()]
            if style and not _MOVES.fullmatch(between):
                yield _RESET
                style = ""
            yield between
        wanted, text = match.groups()
        if wanted != style:
            yield _step(style, wanted)
            style = wanted
        yield text
        end = match.end()
    if style:
        yield _RESET
    yield data[end:]


@lru_cache(maxsize=4096)
def _step(style: str, wanted: str) -> str:
    """From one style to another."""
    before, after = _parts(style), _parts(wanted)
    if not before.keys() <= after.keys():  # there is no way to drop a single one that all terminals know
        return f"\x1b[0;{wanted}m"
    changed = ";".join(codes for part, codes in after.items() if before.get(part) != codes)
    return f"\x1b[{changed}m" if changed else ""


def _parts(style: str) -> dict[str, str]:
    """The codes of a style, by what they set: "text", "ground", or an attribute by its own code."""
    codes = style.split(";") if style else []
    parts: dict[str, str] = {}
    while codes:
        length = _COLOUR_LENGTHS.get(codes[1], 1) if codes[0] in _COLOURS and len(codes) > 1 else 1
        parts[_part(codes[0])] = ";".join(codes[:length])
        codes = codes[length:]
    return parts


def _part(code: str) -> str:
    """What a code sets; the sixteen colours of old have codes of their own."""
    tens = int(code) // 10
    return _COLOURS.get(code) or {3: "text", 9: "text", 4: "ground", 10: "ground"}.get(tens, code)

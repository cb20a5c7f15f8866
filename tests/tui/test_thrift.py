"""Fewer bytes paint the same screen: a terminal is played for both, letter by letter."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.style import Style
from textual.drivers.headless_driver import HeadlessDriver

from gpumon_tui.thrift import shortened, thrifty

_TOKEN = re.compile(r"\x1b\[([0-9;]*)m|\x1b\[\d+;\d+H|\x1b\[[0-9]*[JK]|(.)", re.DOTALL)


def shown_by(data: str) -> list[tuple[str, frozenset[str]]]:
    """Each letter, move and erasure with the style in force at it, and at last the style that is left."""
    style: dict[str, str] = {}
    found: list[tuple[str, frozenset[str]]] = []
    for match in _TOKEN.finditer(data):
        if match[0].endswith("m") and match[0].startswith("\x1b"):
            codes = match[1].split(";")
            while codes:
                length = {"2": 5, "5": 3}[codes[1]] if codes[0] in ("38", "48") else 1
                if codes[0] == "0":
                    style = {}
                else:
                    number = int(codes[0])
                    is_text, is_ground = (
                        number in (*range(30, 40), *range(90, 98)),
                        number in (*range(40, 50), *range(100, 108)),
                    )
                    style["text" if is_text else "ground" if is_ground else codes[0]] = ";".join(codes[:length])
                codes = codes[length:]
        elif (match[0].endswith("H") and match[0].startswith("\x1b")) or match[0] == "\n":
            found.append((match[0], frozenset()))
        else:
            found.append((match[0], frozenset(style.values())))
    return [*found, ("end", frozenset(style.values()))]


_COLOURS = (None, "#102030", "#ffffff", "red", "bright_green", "color(77)", "default")
_BETWEEN = ("", "\x1b[3;4H", "\n", "\x1b[2J", "plain", "\x1b[K")


@st.composite
def styled(draw: st.DrawFn) -> str:
    """A text as rich writes it, and what may follow."""
    colour, flag = st.sampled_from(_COLOURS), st.sampled_from([None, True])
    style = Style(color=draw(colour), bgcolor=draw(colour), bold=draw(flag), underline=draw(flag), reverse=draw(flag))
    text = draw(st.text("ab é▁", min_size=1))
    return style.render(text, color_system=ColorSystem.TRUECOLOR) + draw(st.sampled_from(_BETWEEN))


@given(st.lists(styled()))
def test_every_letter_keeps_its_style(pieces: list[str]) -> None:
    data = "".join(pieces)
    assert shown_by(shortened(data)) == shown_by(data)
    assert len(shortened(data)) <= len(data)


def test_a_colour_is_said_once() -> None:
    ground, first, second = "48;2;16;20;27", "38;2;1;2;3", "38;2;4;5;6"
    said = [f"\x1b[{text};{ground}m{word}\x1b[0m" for text, word in ((first, "a"), (second, "b"), (second, "!"))]
    short = shortened(f"{said[0]}\x1b[1;2H{said[1]}{said[2]}")
    assert short == f"\x1b[{first};{ground}ma\x1b[1;2H\x1b[{second}mb!\x1b[0m"


def test_what_is_no_style_goes_through_as_it_is() -> None:
    for data in ("", "\x1b[?1049h", "\x1b]8;id=1;https://a\x1b\\text\x1b]8;;\x1b\\", "\x1b[1mhalf"):
        assert shortened(data) == data


def test_a_link_is_written_without_the_style_before_it() -> None:
    data = "\x1b[1ma\x1b[0m\x1b]8;id=1;u\x1b\\\x1b[2mb\x1b[0m\x1b]8;;\x1b\\"
    assert shortened(data) == "\x1b[1ma\x1b[0m\x1b]8;id=1;u\x1b\\\x1b[2mb\x1b[0m\x1b]8;;\x1b\\"


def test_a_driver_keeps_all_that_it_was() -> None:
    driver = thrifty(HeadlessDriver)
    assert issubclass(driver, HeadlessDriver)
    assert driver.__name__ == "ThriftyHeadlessDriver"

"""An answer as JSON: one line for a pipe, indented for a person, and never an escape sequence for a terminal."""

from __future__ import annotations

import re

import msgspec

_UNSENDABLE = re.compile("[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON allows inside a text but a terminal would obey: C1 controls, bidirectional and invisible characters."""


def json_bytes(answer: msgspec.Struct, *, to_terminal: bool) -> bytes:
    """`answer` with a line end; the same values either way."""
    encoded = msgspec.json.encode(answer)
    if not to_terminal:
        return encoded + b"\n"
    text = msgspec.json.format(encoded, indent=2).decode()
    return _UNSENDABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text).encode() + b"\n"

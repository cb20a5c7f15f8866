"""Text from strangers, made safe to show and ordered as people count: job names, node names, label values."""

from __future__ import annotations

import re
from functools import lru_cache

_UNSHOWABLE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 and C1 controls: escape sequences, newlines, bells
    "\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e"  # soft hyphen, Arabic letter mark, fillers and other invisible letters
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero-width characters, line separators, bidirectional controls
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"  # fillers, variation selectors, byte order mark, annotations
    "\ud800-\udfff"  # lone surrogates, which no terminal can encode
    "\U000e0000-\U000e0fff"  # tags and further variation selectors
    "]"
)


def shown(text: str, limit: int | None = None) -> str:
    """`text` on one line with control and invisible characters as visible escapes.

    Longer than `limit` characters, it is cut with an ellipsis. A name that needs nothing comes back as it is.
    """
    if _UNSHOWABLE.search(text):
        text = _UNSHOWABLE.sub(_escape, text)
    if limit is not None and len(text) > limit:
        return text[: max(0, limit - 1)] + "…"
    return text


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    named = {9: "\\t", 10: "\\n", 13: "\\r", 27: "\\e"}.get(code)
    if named:
        return named
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


_DIGITS = re.compile(r"([0-9]{1,18})")


@lru_cache(maxsize=16384)
def natural_key(text: str) -> tuple[tuple[str | int, ...], str]:
    """A sort key by which people count: gpu2 before gpu10; the case of letters decides only between equals."""
    parts: list[str | int] = [*_DIGITS.split(text.casefold())]
    parts[1::2] = map(int, parts[1::2])
    return tuple(parts), text

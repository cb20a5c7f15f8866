"""What the exporter says while it works: one line an event, the same trouble once, and once that it is over."""

from __future__ import annotations

import logging

LEVELS = ("debug", "info", "warning", "error")
"""What `--log-level` may say."""

_LONGEST = 500


def to_standard_error(level: str) -> None:
    """Lets everything from `level` on be said."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(message)s")


def one_line(text: str) -> str:
    """`text` from outside as it may stand in a log: what is not printable is spelt out, and it is not endless."""
    shown = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text.strip()
    )
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


class Troubles:
    """What does not work at the moment, by its subject."""

    def __init__(self) -> None:
        self._current: dict[str, str] = {}
        self._log = logging.getLogger(__name__)

    def note(self, subject: str, trouble: str) -> None:
        """Says `trouble` when it is new, and its end when it is over (an empty `trouble`)."""
        before = self._current.get(subject, "")
        if trouble == before:
            return
        self._current[subject] = trouble
        if trouble:
            self._log.warning("%s: %s", one_line(subject), one_line(trouble))
        else:
            self._log.info("%s: works again", one_line(subject))

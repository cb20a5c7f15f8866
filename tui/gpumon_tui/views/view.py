"""What every view is: built when it is first opened, fed only while it is open."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from textual.containers import Vertical
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget

from gpumon.errors import FilterError
from gpumon.model import Problem
from gpumon.settings import Settings
from gpumon_tui.memory import KeptView
from gpumon_tui.picture import History, Picture


class View(Vertical):
    """One of the views; a closed one costs nothing, however large the cluster is."""

    DEFAULT_CSS = """
    View { height: 1fr; display: none; }
    View.-open { display: block; layout: vertical; }
    """

    picture: var[Picture] = var(Picture)
    history: var[History] = var(History)

    @dataclass
    class Counted(Message):
        """How many rows the view's filter left."""

        view: View
        shown: int
        total: int

    @dataclass
    class Narrowed(Message):
        """Something was chosen whose rows are wanted alone."""

        filter_text: str

    def __init__(self, settings: Settings) -> None:
        super().__init__(classes="body")
        self.settings = settings
        self.filter_text = ""
        """The filter that is in force here."""
        self._is_built = False
        self._kept = KeptView()

    def recall(self, kept: KeptView) -> None:
        """Will be arranged like that when it is opened."""
        self._kept = kept

    @property
    def kept(self) -> KeptView:
        """How it is arranged; as long as it was not opened, as it was."""
        return self._arrangement() if self._is_built else self._kept

    def _arrangement(self) -> KeptView:
        return KeptView(filter=self.filter_text)

    def _arrange(self, kept: KeptView) -> None:
        """Arranges its parts; a filter that is none any more is forgotten."""
        with suppress(FilterError):
            self.set_filter(kept.filter)

    @abstractmethod
    def parts(self) -> Iterable[Widget]:
        """What the view is made of."""

    @abstractmethod
    def show(self, picture: Picture) -> None:
        """Puts a picture on the view's widgets."""

    @abstractmethod
    def apply_filter(self, text: str) -> None:
        """Filters the view's rows.

        Raises:
            FilterError: the text is not a filter.
        """

    @abstractmethod
    def focus_rows(self) -> None:
        """Gives the keys to the view's main rows."""

    @property
    @abstractmethod
    def counts(self) -> tuple[int, int]:
        """Main rows that the filter left, and main rows there are."""

    @property
    def idle_filter(self) -> str:
        """The filter that leaves only what is held for nothing; empty where that is no question."""
        return ""

    @property
    def sort_keys(self) -> Sequence[str]:
        """By what its rows can be sorted; () when they cannot."""
        return ()

    def sort_by(self, key: str) -> None:
        """Sorts its rows by one of these."""
        raise NotImplementedError

    def set_filter(self, text: str) -> None:
        """Filters the view's rows and remembers by what.

        Raises:
            FilterError: the text is not a filter; what was in force stays.
        """
        self.apply_filter(text)
        self.filter_text = text
        self.tell_counts()

    def tell_counts(self) -> None:
        """Says how many rows are left."""
        self.post_message(self.Counted(self, *self.counts))

    async def open(self) -> None:
        """Comes to the front."""
        self.add_class("-open")
        if not self._is_built:
            self._is_built = True
            await self.mount(*self.parts())
            self._arrange(self._kept)
        self.show(self.picture)
        self.tell_counts()

    def close(self) -> None:
        """Goes to the back."""
        self.remove_class("-open")

    def watch_picture(self, picture: Picture) -> None:
        """A closed view waits until it is opened."""
        if self._is_built and self.has_class("-open"):
            self.show(picture)
            self.tell_counts()

    def problems_of(self, *parts: str) -> list[Problem]:
        """What is wrong with these parts of the picture."""
        return [problem for problem in self.picture.snapshot.problems if problem.part in parts]

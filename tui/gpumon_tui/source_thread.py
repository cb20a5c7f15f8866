"""The one thread that talks to the source, so that no key ever waits for a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

from gpumon.source import ClusterSource

Answer = TypeVar("Answer")

_LAST_WORDS_SECONDS = 0.3


class SourceThread:
    """Questions to a source, answered one after the other; leaving never waits for an answer that is on its way."""

    def __init__(self, source: ClusterSource) -> None:
        self.source = source
        self._questions: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon, unlike the threads of an executor: quitting must not wait for a server's timeout.
        self._thread = Thread(target=self._serve, name="gpumon-source", daemon=True)

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    async def ask(self, question: Callable[[ClusterSource], Answer]) -> Answer:
        """What `question` returns when the thread calls it with the source; its exception is raised here."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()

        def settle(result: Answer | None, error: BaseException | None) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type]  # None only if that is the answer

        def call() -> None:
            result, error = None, None
            try:
                result = question(self.source)
            except BaseException as raised:  # noqa: BLE001 - handed to who asked, who decides what is expected
                error = raised
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, error)

        self._questions.put(call)
        return await answer

    def stop(self) -> None:
        """Lets the source close itself when it is idle; a source that is busy dies with the program."""
        self._questions.put(None)
        if self._thread.is_alive():
            self._thread.join(_LAST_WORDS_SECONDS)

    def _serve(self) -> None:
        while (call := self._questions.get()) is not None:
            call()
        self.source.close()

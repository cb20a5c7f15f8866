"""Many machines at once, each with its own outcome: one that fails never hides the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Generic, TypeVar

from gpumon.errors import GpumonError
from gpumon_setup.failures import Stopped
from gpumon_setup.host import Host
from gpumon_setup.inventory import Machine

MOST_AT_ONCE = 64
_T = TypeVar("_T")


@dataclass(frozen=True)
class Outcomes(Generic[_T]):
    """What came of something that was done on many machines, both in the order of the inventory."""

    done: Mapping[str, _T]
    failed: Mapping[str, GpumonError]


class Fleet:
    """The machines of a cluster; each is reached once, when it is first needed, and kept."""

    def __init__(
        self,
        machines: Iterable[Machine],
        reach: Callable[[Machine], Host],
        stop: Callable[[], None] = lambda: None,
        dialled: Callable[[Machine], str] = lambda _: "",
    ) -> None:
        self._machines = {machine.name: machine for machine in machines}
        self._reach = reach
        self._stop = stop
        self._dialled = dialled
        self._hosts: dict[str, Host] = {}
        self._on_the_way: dict[str, Future[Host]] = {}
        self._lock = Lock()
        self._is_stopped = False

    def host(self, name: str) -> Host:
        """A machine, reached now if it was not before; raises HostError."""
        with self._lock:
            known, on_the_way = self._hosts.get(name), self._on_the_way.get(name)
        if known is not None:
            return known
        if on_the_way is None:
            return self._reached(name)
        try:
            return on_the_way.result()
        finally:  # who asks once more tries once more
            with self._lock:
                self._on_the_way.pop(name, None)

    def set_out(self, names: Iterable[str]) -> None:
        """Begins to reach machines that will be needed; `host` then waits for each, or says why it cannot be had."""
        with self._lock:
            known = self._hosts.keys() | self._on_the_way.keys()
            ways = {name: Future[Host]() for name in names if name not in known}
            self._on_the_way.update(ways)
        still = iter(ways.items())

        def go() -> None:
            for name, way in still:
                try:
                    way.set_result(self._reached(name))
                except BaseException as error:  # noqa: BLE001, PERF203  # whoever asks for the machine raises it
                    way.set_exception(error)

        for number in range(min(MOST_AT_ONCE, len(ways))):
            Thread(target=go, name=f"gpumon-setup-way-{number}", daemon=True).start()

    def dialled(self, name: str) -> str:
        """Where SSH looks for a machine, when that is an address; "" when it is not, or when no SSH leads there."""
        return self._dialled(self._machines[name])

    def each(self, names: Iterable[str], work: Callable[[Host], _T]) -> Outcomes[_T]:
        """Does something on many machines at once, and waits for all.

        Ctrl-C ends all connections; a machine then stops at the end of the step it is at.
        """
        names = list(names)
        if not names:
            return Outcomes({}, {})
        with ThreadPoolExecutor(min(MOST_AT_ONCE, len(names)), "gpumon-setup") as pool:
            futures = {name: pool.submit(self._work, name, work) for name in names}
            try:
                return _gathered(futures)
            except BaseException:  # Ctrl-C above all: whatever it is, the ways are closed, and it goes on
                # A second Ctrl-C ends whatever the main thread does, and a way left open would be waited for.
                closing = Thread(target=self.close, name="gpumon-setup-closing")
                closing.start()
                closing.join()
                raise

    def close(self) -> None:
        """Ends all connections."""
        self._is_stopped = True
        self._stop()
        with self._lock:
            hosts = list(self._hosts.values())
        for host in hosts:
            host.close()

    def _reached(self, name: str) -> Host:
        if self._is_stopped:
            raise Stopped("The work was ended.")
        host = self._reach(self._machines[name])
        with self._lock:
            self._hosts[name] = host
        if self._is_stopped:
            host.close()
        return host

    def _work(self, name: str, work: Callable[[Host], _T]) -> _T:
        return work(self.host(name))


def _gathered(futures: Mapping[str, Future[_T]]) -> Outcomes[_T]:
    done: dict[str, _T] = {}
    failed: dict[str, GpumonError] = {}
    for name, future in futures.items():
        error = future.exception()
        if isinstance(error, GpumonError):
            failed[name] = error
        else:
            done[name] = future.result()
    return Outcomes(done, failed)

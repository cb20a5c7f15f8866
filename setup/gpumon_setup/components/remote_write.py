"""Where Prometheus sends its samples besides: to Thanos, Mimir or VictoriaMetrics, when one server is not enough."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from gpumon.config.secrets import SecretPlace, secret_place
from gpumon.config.values import Here, Reader, Wrong, text, told, url
from gpumon.text import shown
from gpumon_setup.components import values
from gpumon_setup.components.component import CannotHave

_SECRETS = ("password", "bearer_token")


@dataclass(frozen=True, slots=True)
class RemoteWrite:
    """One receiver."""

    url: str
    username: str = ""
    password: SecretPlace | None = None
    bearer_token: SecretPlace | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """Not secret: they stand in prometheus.yml."""

    def secrets(self, number: int) -> Iterator[tuple[str, bytes]]:
        """The files that hold its secrets, by name.

        Raises:
            CannotHave: a secret is not to be had.
        """
        for name in _SECRETS:
            place = cast("SecretPlace | None", getattr(self, name))
            if place is not None:
                try:
                    yield f"remote-write-{number}.{name}", place.fetch(os.environ).reveal().encode()
                except Wrong as wrong:
                    raise CannotHave(f"prometheus: the {name} for {self.url} is to come from {wrong.found}.") from None

    def section(self, number: int, folder: str) -> Mapping[str, object]:
        """As prometheus.yml has it; its secrets lie in `folder`."""
        file = f"{folder}/remote-write-{number}"
        login = {"username": self.username, "password_file": f"{file}.password"}
        token = {"type": "Bearer", "credentials_file": f"{file}.bearer_token"}
        return {
            "url": self.url,
            **({"headers": dict(self.headers)} if self.headers else {}),
            **({"basic_auth": login} if self.password is not None else {}),
            **({"authorization": token} if self.bearer_token is not None else {}),
        }


def receivers(value: object, here: Here) -> tuple[RemoteWrite, ...]:
    """One address, a table, or a list of them."""
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    return tuple(_receiver({"url": item} if isinstance(item, str) else item, here) for item in items)


def _receiver(value: object, here: Here) -> RemoteWrite:
    table = values.table(value, 'an address, or a table like { url = "https://mimir.example.org/api/v1/push" }')
    found: dict[str, object] = {}
    for name, content in table.items():
        if name not in _READERS:
            raise Wrong(f'a key "{shown(name, 80)}"', f"one of {', '.join(_READERS)}")
        try:
            found[name] = _READERS[name](content, here)
        except Wrong as wrong:
            raise Wrong(f"{name} with {wrong.found}", wrong.expected) from None
    if "url" not in found:
        raise Wrong("no url", "the url of each receiver")
    if ("username" in found) != ("password" in found) or ("password" in found and "bearer_token" in found):
        raise Wrong("half a login, or two", "username and password together, or a bearer_token, or neither")
    return RemoteWrite(**found)  # type: ignore[arg-type]  # each reader returns what its field holds


def _headers(value: object, _: Here) -> tuple[tuple[str, str], ...]:
    expected = 'a table of headers, like { X-Scope-OrgID = "lab" }'
    table, text_of = values.table(value, expected), text(expected)
    for name in table:
        if not name or not name.replace("-", "").isalnum() or not name.isascii():
            raise Wrong(told(name), "a header's name of letters, digits and -")
    return tuple((name, cast("str", text_of(content, _))) for name, content in table.items())


_READERS: Mapping[str, Reader] = {
    "url": url,
    "username": text("a name without a colon", forbidden=":"),
    "password": secret_place,
    "bearer_token": secret_place,
    "headers": _headers,
}

"""How the values of components' keys are read, where no reader of the core or the inventory fits."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import cast

from gpumon.config.values import Here, Reader, Wrong, told
from gpumon_setup.inventory.keys import matching

image = matching(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*(/[A-Za-z0-9._-]+)*(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?"),
    'an image with its tag, like "quay.io/prometheus/prometheus:v3.5.3"',
)
"""An image."""
folder = matching(re.compile(r"(/[A-Za-z0-9._+-]+)+"), "the whole path of a folder on the machine, without blanks")
"""A folder on a machine."""
program = matching(re.compile(r"(/[A-Za-z0-9._+-]+)+"), "the whole path of a program on the machine, without blanks")
"""A program on a machine."""
host_and_port = matching(
    re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}"), 'an address such as "head:9093"'
)
"""Where somebody listens."""


def count(least: int, most: int, meaning: str) -> Reader:
    """A whole number."""

    def read(value: object, _: Here) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Wrong(told(value), f"{meaning} from {least} to {most}")
        return value

    return read


def ip_address(value: object, _: Here) -> str:
    """An address of the machine itself."""
    try:
        return str(ipaddress.ip_address(value)) if isinstance(value, str) else _no(value)
    except ValueError:
        return _no(value)


def strings(each: Reader) -> Reader:
    """One value, or a list of them."""

    def read(value: object, here: Here) -> tuple[str, ...]:
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        return tuple(cast("str", each(item, here)) for item in items)

    return read


def table(value: object, expected: str) -> Mapping[str, object]:
    """A table of TOML; raises Wrong."""
    if not isinstance(value, dict):
        raise Wrong(told(value), expected)
    return cast("Mapping[str, object]", value)


def _no(value: object) -> str:
    raise Wrong(told(value), 'an IP address of the machine, like "10.0.0.5"')

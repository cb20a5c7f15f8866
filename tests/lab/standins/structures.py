"""Takes values out of parsed JSON and YAML; what has another shape than it should counts as empty."""

from __future__ import annotations

from typing import Any, cast


def mapping(value: object) -> dict[str, Any]:
    """An object's members."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def entries(value: object) -> list[dict[str, Any]]:
    """A list's objects."""
    return [mapping(each) for each in cast("list[object]", value)] if isinstance(value, list) else []

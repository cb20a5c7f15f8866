"""The looks: gpumon's own themes, with one colour scale per meaning."""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

_DARK_HEAT = (
    "#14303a", "#173f48", "#195057", "#1b6165", "#1e7472", "#24877d", "#339a86", "#4bae8e", "#6bc295", "#92d69c",
)  # fmt: skip
_LIGHT_HEAT = (
    "#dcefec", "#c5e4df", "#aad7d1", "#8cc9c2", "#6cb9b2", "#4ca8a2", "#2f9691", "#1c827f", "#106d6c", "#085757",
)  # fmt: skip

_DARK_OWNERS = (
    "#6db3f2", "#f2a65a", "#74c991", "#e87ea1", "#b08ad9", "#e5d454",
    "#5fc9c9", "#d98a6b", "#a3bd5e", "#8f9fe8", "#d6a8e0", "#b5b5a8",
)  # fmt: skip
_LIGHT_OWNERS = (
    "#1f6fc4", "#b45f06", "#207a45", "#b0336b", "#7a4bb0", "#8a7400",
    "#0f7f86", "#9a4a2c", "#5c7a12", "#4455bb", "#9a3fa8", "#6b6b60",
)  # fmt: skip


def _owners(colours: tuple[str, ...], text: str) -> dict[str, str]:
    """Theme variables of those who hold GPUs."""
    return {f"owner-{number}": colour for number, colour in enumerate(colours)} | {"owner-text": text}


def _heat(colours: tuple[str, ...], low_text: str, high_text: str, turn: int) -> dict[str, str]:
    """Theme variables of the utilization scale; from level `turn` on the text changes its colour."""
    scale = {f"heat-{level}": colour for level, colour in enumerate(colours)}
    return scale | {f"heat-text-{level}": low_text if level < turn else high_text for level in range(len(colours))}


_DARK = {
    **_heat(_DARK_HEAT, "#b9d3d4", "#08211f", 5),
    **_owners(_DARK_OWNERS, "#10141b"),
    "quiet": "#8b96a8",
    "idle-held": "#6a4a0c",
    "idle-held-text": "#ffd583",
    "alarm": "#d93f4f",
    "alarm-text": "#ffffff",
    "lost": "#2b303b",
    "lost-text": "#a3adbd",
    "track": "#232b38",
    "rule": "#2b3445",
    "memory": "#6f9be0",
    "power": "#b08ad9",
    "cool": "#5f93a8",
    "warm": "#e5b454",
    "hot": "#f2616f",
    "cursor": "#31425c",
    "cursor-blurred": "#252e3d",
    "demo": "#f2b84b",
    "demo-text": "#1a1405",
}
_LIGHT = {
    **_heat(_LIGHT_HEAT, "#12403d", "#f4fffd", 5),
    **_owners(_LIGHT_OWNERS, "#ffffff"),
    "quiet": "#5d6778",
    "idle-held": "#ffdf9e",
    "idle-held-text": "#5a3c00",
    "alarm": "#c22335",
    "alarm-text": "#ffffff",
    "lost": "#e3e6eb",
    "lost-text": "#646d7c",
    "track": "#dfe4ea",
    "rule": "#c9d1dc",
    "memory": "#3b6fc4",
    "power": "#8457b8",
    "cool": "#3d7f97",
    "warm": "#9a6700",
    "hot": "#c22335",
    "cursor": "#c4d7f2",
    "cursor-blurred": "#e0e7f0",
    "demo": "#b86e00",
    "demo-text": "#ffffff",
}

DARK = Theme(
    name="gpumon-dark",
    primary="#6db3f2",
    secondary="#8fa3bf",
    accent="#f2b84b",
    warning="#e5b454",
    error="#f2616f",
    success="#74c991",
    foreground="#d8dee9",
    background="#10141b",
    surface="#151a23",
    panel="#1c232f",
    dark=True,
    variables=_DARK,
)
LIGHT = Theme(
    name="gpumon-light",
    primary="#1f6fc4",
    secondary="#52627a",
    accent="#b86e00",
    warning="#9a6700",
    error="#c22335",
    success="#207a45",
    foreground="#1d2430",
    background="#fbfcfd",
    surface="#f3f5f8",
    panel="#e6eaf0",
    dark=False,
    variables=_LIGHT,
)

DEFAULTS: Mapping[str, str] = _DARK
"""What our own variables are under a theme that is not ours."""


def theme_name(look: str) -> str:
    """The theme for "dark" or "light" of the settings."""
    return LIGHT.name if look == "light" else DARK.name

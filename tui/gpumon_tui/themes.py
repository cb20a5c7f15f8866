"""The looks: gpumon's own themes, with one colour scale per meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.theme import Theme

from gpumon_tui.ramps import ramp


def _owners(colours: Sequence[str], text: str) -> dict[str, str]:
    """Theme variables of those who hold GPUs."""
    return {f"owner-{number}": colour for number, colour in enumerate(colours)} | {"owner-text": text}


_DARK = {
    **ramp("heat", ("#14303a", "#1e7472", "#4bae8e", "#92d69c")),
    **ramp("memory-heat", ("#16263f", "#2f5c9e", "#6f9be0", "#bcd6ff")),
    **ramp("power-heat", ("#261c38", "#5f3f92", "#b08ad9", "#e4cffc")),
    **ramp("temperature-heat", ("#16323c", "#3f7f93", "#c9a94e", "#f2616f")),
    **ramp("idle-heat", ("#1b2733", "#5b4a26", "#b5842f", "#ffd583")),
    **_owners(
        ("#6db3f2", "#f2a65a", "#74c991", "#e87ea1", "#b08ad9", "#e5d454",
         "#5fc9c9", "#d98a6b", "#a3bd5e", "#8f9fe8", "#d6a8e0", "#b5b5a8"),
        "#10141b",
    ),
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
}  # fmt: skip
_LIGHT = {
    **ramp("heat", ("#dcefec", "#8cc9c2", "#2f9691", "#085757")),
    **ramp("memory-heat", ("#e2ebf9", "#a3c0ec", "#4f82d2", "#1c458f")),
    **ramp("power-heat", ("#efe7f8", "#cbb1e8", "#8d61c0", "#522b85")),
    **ramp("temperature-heat", ("#e0eef2", "#94bfcc", "#d3a63a", "#c22335")),
    **ramp("idle-heat", ("#eef1f4", "#f3dfae", "#d79a2b", "#8a5200")),
    **_owners(
        ("#1f6fc4", "#b45f06", "#207a45", "#b0336b", "#7a4bb0", "#8a7400",
         "#0f7f86", "#9a4a2c", "#5c7a12", "#4455bb", "#9a3fa8", "#6b6b60"),
        "#ffffff",
    ),
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
}  # fmt: skip
_COLOUR_BLIND = {
    **_DARK,
    # Cividis: its lightness grows evenly, and no two of its steps differ by red against green alone.
    **ramp("heat", ("#00224e", "#414d6b", "#7c7b78", "#bcae6c", "#fee838")),
    **ramp("memory-heat", ("#10243d", "#1f5a94", "#56b4e9", "#c4e6fb")),
    **ramp("power-heat", ("#2a1a26", "#7c4669", "#cc79a7", "#f3d3e5")),
    **ramp("temperature-heat", ("#0b2f4a", "#56b4e9", "#e69f00", "#d55e00")),
    **ramp("idle-heat", ("#1b2733", "#5c4a1c", "#b58415", "#f0e442")),
    **_owners(
        ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#0072b2", "#d55e00",
         "#cc79a7", "#bbbbbb", "#88ccee", "#ddcc77", "#44aa99", "#aa4499"),
        "#0b0e13",
    ),
    "idle-held": "#5c4300",
    "idle-held-text": "#ffcf66",
    "alarm": "#d55e00",
    "memory": "#56b4e9",
    "power": "#cc79a7",
    "cool": "#7aa6c2",
    "warm": "#e69f00",
    "hot": "#ff7a1a",
}  # fmt: skip
_MONO = {
    **{
        name: colour
        for scale in ("heat", "memory-heat", "power-heat", "temperature-heat", "idle-heat")
        for name, colour in ramp(scale, ("#1c1c1c", "#d8d8d8")).items()
    },
    **_owners(("#a8a8a8",) * 12, "#000000"),
    "quiet": "#9a9a9a",
    "idle-held": "#000000",
    "idle-held-text": "#ffffff",
    "alarm": "#ffffff",
    "alarm-text": "#000000",
    "lost": "#303030",
    "lost-text": "#c0c0c0",
    "track": "#2c2c2c",
    "rule": "#444444",
    "memory": "#b8b8b8",
    "power": "#a0a0a0",
    "cool": "#909090",
    "warm": "#e8e8e8",
    "hot": "#ffffff",
    "cursor": "#4a4a4a",
    "cursor-blurred": "#333333",
    "demo": "#d0d0d0",
    "demo-text": "#000000",
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
COLOUR_BLIND = Theme(
    name="gpumon-colour-blind",
    primary="#56b4e9",
    secondary="#8fa3bf",
    accent="#e69f00",
    warning="#e69f00",
    error="#ff7a1a",
    success="#7cc7f0",
    foreground="#dfe4ec",
    background="#10141b",
    surface="#151a23",
    panel="#1c232f",
    dark=True,
    variables=_COLOUR_BLIND,
)
MONO = Theme(
    name="gpumon-mono",
    primary="#ffffff",
    secondary="#b0b0b0",
    accent="#e0e0e0",
    warning="#e8e8e8",
    error="#ffffff",
    success="#d0d0d0",
    foreground="#d0d0d0",
    background="#000000",
    surface="#0c0c0c",
    panel="#1e1e1e",
    dark=True,
    variables=_MONO,
)
THEMES = (DARK, LIGHT, COLOUR_BLIND, MONO)
"""In the order in which a command goes through them."""

DEFAULTS: Mapping[str, str] = _DARK
"""What our own variables are under a theme that is not ours."""


def theme_name(look: str, *, has_colour: bool = True) -> str:
    """The theme for a look of the settings; the one without colours where there shall be none."""
    known = {theme.name.removeprefix("gpumon-"): theme.name for theme in THEMES}
    return known.get(look, DARK.name) if has_colour else MONO.name


def next_theme(name: str) -> str:
    """What comes after a theme; the first after the last one, and after one that is not ours."""
    names = [theme.name for theme in THEMES]
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]

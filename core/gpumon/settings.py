"""What a user can set, and what holds when nothing is set; `config` reads it from a file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gpumon.units import Units

DEFAULT_URL = "http://localhost:9090"
"""Where Prometheus listens on a master that nobody changed."""

THEMES = ("dark", "light", "colour-blind", "mono")
"""The looks the dashboard knows."""


class Secret:
    """A value that never shows itself: not in a repr, a log, an error or a dump."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value; only for the place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


class PrometheusSettings(msgspec.Struct, frozen=True):
    """How one Prometheus, or anything that speaks its HTTP API, is reached."""

    url: str = DEFAULT_URL
    """With the path prefix of Thanos, Mimir, VictoriaMetrics or a reverse proxy; without `/api/v1`."""
    timeout_seconds: float = 10.0
    """For each query, from sending it to the last byte of its answer."""
    headers: tuple[tuple[str, Secret], ...] = ()
    """Sent with every request, for instance X-Scope-OrgID."""
    username: str | None = None
    """For basic authentication."""
    password: Secret | None = None
    bearer_token: Secret | None = None
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    client_cert_file: Path | None = None
    client_key_file: Path | None = None
    """None when the certificate file holds the key too."""


class Thresholds(msgspec.Struct, frozen=True):
    """From where on something is worth a finding."""

    temperature_celsius: float = 85.0
    """A GPU is hot from here on."""
    temperature_critical_celsius: float = 92.0
    """A GPU is dangerously hot from here on."""
    idle_share: float = 0.05
    """A GPU that is allocated and busy less than this is idle."""
    idle_minutes: float = 30.0
    """How long a GPU must have been idle before it is reported."""
    memory_share: float = 0.95
    """A node's memory is short from here on."""
    disk_share: float = 0.90
    """A disk is nearly full from here on."""
    stale_scrapes: float = 3.0
    """Values older than this many scrape intervals are old."""
    clock_skew_seconds: float = 5.0
    """Difference between this machine's clock and the server's that `gpumon doctor` complains about."""


class TuiSettings(msgspec.Struct, frozen=True):
    """How the dashboard looks and listens."""

    keys: tuple[tuple[str, str], ...] = ()
    """Other keys, by the name of what they do: ("app.quit", "f10,ctrl+q")."""
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Other columns than a table usually has, in their order, by the name of the table: ("gpus", ("node", "gpu"))."""
    remember: bool = True
    """Whether the next run begins where the last one ended: with its view, order, filter, metric and theme."""


class Settings(msgspec.Struct, frozen=True):
    """Everything gpumon was told, for one cluster."""

    cluster: str = ""
    """The profile's name; "" when there is only one cluster."""
    prometheus: PrometheusSettings = msgspec.field(default_factory=PrometheusSettings)
    interval_seconds: float | None = None
    """Between refreshes; None: the scrape interval that Prometheus itself reports."""
    theme: str = "dark"
    units: Units = msgspec.field(default_factory=Units)
    thresholds: Thresholds = msgspec.field(default_factory=Thresholds)
    tui: TuiSettings = msgspec.field(default_factory=TuiSettings)
    file: Path | None = None
    """The file it was read from; None when there was none."""

"""How Grafana is set up, as the variables of its environment that stand for the keys of its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from gpumon_setup.components.component import Place
from gpumon_setup.components.grafana_files import PROVISIONING, dashboards

LOCAL = "127.0.0.1"
PORT = 3000
DATA = "/var/lib/gpumon/grafana"
"""Its database and plugins: users, their own dashboards, and what else they make there."""
_KEEPS_TO_ITSELF = (
    ("GF_ANALYTICS_REPORTING_ENABLED", "false"),
    ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false"),
    ("GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false"),
    ("GF_NEWS_NEWS_FEED_ENABLED", "false"),
    # It would fetch plugins that nobody asked for at every start.
    ("GF_PLUGINS_PREINSTALL_DISABLED", "true"),
    ("GF_SECURITY_DISABLE_GRAVATAR", "true"),
    ("GF_SNAPSHOTS_EXTERNAL_ENABLED", "false"),
    ("GF_USERS_ALLOW_SIGN_UP", "false"),
)
"""What else would leave the cluster, or let strangers in."""


def settings(place: Place) -> tuple[tuple[str, str], ...]:
    """All but the password."""
    return tuple(_settings(place))


def listening(place: Place) -> tuple[str, int]:
    """Address and port: only who is on the master gets there unless something else is said; "" is every address."""
    chosen = cast("str | None", place.option("grafana", "listen"))
    return LOCAL if chosen is None else chosen, cast("int | None", place.option("grafana", "port")) or PORT


def data_of(place: Place) -> str:
    """Where its data are."""
    return cast("str | None", place.option("grafana", "data")) or DATA


def _settings(place: Place) -> Iterator[tuple[str, str]]:
    address, port = listening(place)
    data = data_of(place)
    if address:
        yield "GF_SERVER_HTTP_ADDR", address
    yield "GF_SERVER_HTTP_PORT", str(port)
    yield "GF_PATHS_DATA", data
    yield "GF_PATHS_LOGS", f"{data}/log"
    yield "GF_PATHS_PLUGINS", f"{data}/plugins"
    yield "GF_PATHS_PROVISIONING", PROVISIONING
    yield "GF_LOG_MODE", "console"
    yield "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", dashboards()[0].path
    yield from _KEEPS_TO_ITSELF
    if place.option("grafana", "anonymous"):
        yield "GF_AUTH_ANONYMOUS_ENABLED", "true"
        yield "GF_AUTH_ANONYMOUS_ORG_ROLE", "Viewer"

"""The flags and environment variables of dcgm-exporter 4.8, read as strictly as it reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class BadUsage(Exception):
    """What the real program would refuse."""


@dataclass(frozen=True)
class Flag:
    """One flag."""

    name: str
    variable: str
    default: str | bool
    """A bool for a flag without a value."""
    short: str = ""


FLAGS = (
    Flag("collectors", "DCGM_EXPORTER_COLLECTORS", "/etc/dcgm-exporter/default-counters.csv", "f"),
    Flag("address", "DCGM_EXPORTER_LISTEN", ":9400", "a"),
    Flag("collect-interval", "DCGM_EXPORTER_INTERVAL", "30000", "c"),
    Flag("kubernetes", "DCGM_EXPORTER_KUBERNETES", False, "k"),
    Flag("use-old-namespace", "DCGM_EXPORTER_USE_OLD_NAMESPACE", False, "o"),
    Flag("cpu-devices", "DCGM_EXPORTER_CPU_DEVICES_STR", "f", "p"),
    Flag("configmap-data", "DCGM_EXPORTER_CONFIGMAP_DATA", "none", "m"),
    Flag("remote-hostengine-info", "DCGM_REMOTE_HOSTENGINE_INFO", "", "r"),
    Flag("devices", "DCGM_EXPORTER_DEVICES_STR", "f", "d"),
    Flag("no-hostname", "DCGM_EXPORTER_NO_HOSTNAME", False, "n"),
    Flag("switch-devices", "DCGM_EXPORTER_OTHER_DEVICES_STR", "f", "s"),
    Flag("web-config-file", "DCGM_EXPORTER_WEB_CONFIG_FILE", ""),
    Flag("xid-count-window-size", "DCGM_EXPORTER_XID_COUNT_WINDOW_SIZE", "300000", "x"),
    Flag("clock-events-count-window-size", "DCGM_EXPORTER_CLOCK_EVENTS_COUNT_WINDOW_SIZE", "300000"),
    Flag("replace-blanks-in-model-name", "DCGM_EXPORTER_REPLACE_BLANKS_IN_MODEL_NAME", False, "rbmn"),
    Flag("debug", "DCGM_EXPORTER_DEBUG", False),
    Flag("enable-dcgm-log", "DCGM_EXPORTER_ENABLE_DCGM_LOG", False),
    Flag("dcgm-log-level", "DCGM_EXPORTER_DCGM_LOG_LEVEL", "NONE"),
    Flag("log-format", "DCGM_EXPORTER_LOG_FORMAT", "text"),
    Flag("hpc-job-mapping-dir", "DCGM_HPC_JOB_MAPPING_DIR", ""),
    Flag("web-systemd-socket", "DCGM_EXPORTER_SYSTEMD_SOCKET", False),
    Flag("disable-startup-validate", "DISABLE_STARTUP_VALIDATE", False),
    Flag("dump-enabled", "DCGM_EXPORTER_DUMP_ENABLED", False),
    Flag("enable-gpu-bind-unbind-watch", "DCGM_EXPORTER_ENABLE_GPU_BIND_UNBIND_WATCH", False),
)
"""All but those for Kubernetes alone and for debugging."""
TRUE = ("1", "t", "true")
FALSE = ("0", "f", "false", "")
UNSUPPORTED = ("kubernetes", "use-old-namespace", "web-systemd-socket")
"""Real, and beyond this stand-in."""


@dataclass(frozen=True)
class Flags:
    """What was asked for, by the flags' long names."""

    texts: Mapping[str, str]
    switches: Mapping[str, bool]


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> Flags:
    """Environment first, command line over it.

    Raises:
        BadUsage: a flag is unknown, lacks its value, or cannot have it.
    """
    texts: dict[str, str] = {}
    switches: dict[str, bool] = {}
    for flag in FLAGS:
        given = environment.get(flag.variable, "")
        if isinstance(flag.default, bool):
            switches[flag.name] = _truth(flag.name, given)
        else:
            texts[flag.name] = given or flag.default
    words = list(arguments)
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            raise BadUsage(f"No help topic for '{word}'")
        name, has_value, value = word.lstrip("-").partition("=")
        flag = _flag(name)
        if isinstance(flag.default, bool):
            switches[flag.name] = _truth(flag.name, value) if has_value else True
        elif has_value or words:
            texts[flag.name] = value if has_value else words.pop(0)
        else:
            raise BadUsage(f"Incorrect Usage: flag needs an argument: -{name}")
    _check(texts, switches)
    return Flags(texts, switches)


def _flag(name: str) -> Flag:
    for flag in FLAGS:
        if name in (flag.name, flag.short):
            return flag
    raise BadUsage(f"Incorrect Usage: flag provided but not defined: -{name}")


def _truth(name: str, value: str) -> bool:
    if value.lower() not in (*TRUE, *FALSE):
        raise BadUsage(f'Incorrect Usage: invalid boolean value "{value}" for -{name}')
    return value.lower() in TRUE


def _check(texts: Mapping[str, str], switches: Mapping[str, bool]) -> None:
    for name in ("collect-interval", "xid-count-window-size", "clock-events-count-window-size"):
        if not texts[name].isdigit() or int(texts[name]) == 0:
            raise BadUsage(f'Incorrect Usage: invalid value "{texts[name]}" for flag -{name}: parse error')
    for name in UNSUPPORTED:
        if switches[name]:
            raise BadUsage(f"The stand-in does not know -{name}")

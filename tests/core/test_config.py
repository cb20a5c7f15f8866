"""Which configuration holds, and what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config_home import ConfigHome
from gpumon.config import load_settings, loading, with_overrides
from gpumon.errors import ConfigError
from gpumon.settings import DEFAULT_URL, PrometheusSettings, Secret, Settings, Thresholds, TuiSettings
from gpumon.units import Units


def url_in(home: ConfigHome, **environ: str) -> str:
    """The address that holds in an environment."""
    return load_settings(environ={**home.environ, **environ}).prometheus.url


def test_without_any_file_the_defaults_hold(home: ConfigHome) -> None:
    settings = load_settings(environ=home.environ)
    assert settings == Settings()
    assert settings.prometheus.url == DEFAULT_URL
    assert settings.file is None


def test_the_first_file_found_holds(home: ConfigHome) -> None:
    def file(name: str) -> Path:
        return home.write(name, f'[prometheus]\nurl = "http://{Path(name).parts[0].strip(".")}"\n')

    file("etc/gpumon/config.toml")
    assert url_in(home) == "http://etc"
    file(".config/gpumon/config.toml")
    assert url_in(home) == "http://config"
    file("xdg/gpumon/config.toml")
    assert url_in(home, XDG_CONFIG_HOME=str(home.path / "xdg")) == "http://xdg"
    named = file("env/my.toml")
    assert url_in(home, GPUMON_CONFIG=str(named)) == "http://env"
    given = file("given/my.toml")
    environ = {**home.environ, "GPUMON_CONFIG": str(named)}
    settings = load_settings(given, environ=environ)
    assert settings.prometheus.url == "http://given"
    assert settings.file == given


@pytest.mark.parametrize("directory", ["", "relative/xdg"])
def test_a_configuration_directory_that_is_no_absolute_path_does_not_count(home: ConfigHome, directory: str) -> None:
    home.write(".config/gpumon/config.toml", '[prometheus]\nurl = "http://home"\n')
    assert url_in(home, XDG_CONFIG_HOME=directory) == "http://home"


def test_an_empty_gpumon_config_counts_as_none(home: ConfigHome) -> None:
    assert url_in(home, GPUMON_CONFIG="") == DEFAULT_URL


def test_keys_and_columns_of_the_dashboard_are_read_quoted_or_not(home: ConfigHome) -> None:
    quoted = home.load(
        '[tui]\nremember = false\n[tui.keys]\n"app.quit" = "f10"\n[tui.columns]\ngpus = ["node", "gpu"]\n'
    )
    assert quoted.tui == TuiSettings((("app.quit", "f10"),), (("gpus", ("node", "gpu")),), remember=False)
    assert home.load('[tui]\nkeys = { app.quit = "f10" }\n').tui == TuiSettings((("app.quit", "f10"),))


def test_a_tilde_is_the_home_directory(home: ConfigHome) -> None:
    home.write("my.toml", '[prometheus]\nurl = "http://x"\nca_file = "~/ca.pem"\n')
    ca_file = home.write("ca.pem", "")
    assert load_settings(Path("~/my.toml"), environ=home.environ).prometheus.ca_file == ca_file


@pytest.mark.parametrize("name", ["gone.toml", "gone/gpumon.toml", "a\0b"])
def test_a_named_file_must_be_there(home: ConfigHome, name: str) -> None:
    with pytest.raises(ConfigError, match=r"--config.*cannot be read: (No such file|no such path)"):
        load_settings(home.path / name, environ=home.environ)


def test_a_file_named_by_the_environment_must_be_there(home: ConfigHome) -> None:
    with pytest.raises(ConfigError, match=r"gone.toml \(\$GPUMON_CONFIG\): cannot be read: No such file"):
        load_settings(environ={**home.environ, "GPUMON_CONFIG": str(home.path / "gone.toml")})


def test_a_directory_is_no_configuration(home: ConfigHome) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        load_settings(home.path, environ=home.environ)
    (home.path / ".config/gpumon/config.toml").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"config\.toml: cannot be read: Is a directory"):
        load_settings(environ=home.environ)


def test_a_file_that_may_not_be_read_is_an_error_and_not_passed_over(
    home: ConfigHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(loading, "_content", refuse)
    with pytest.raises(ConfigError, match=r"config\.toml: cannot be read: Permission denied"):
        load_settings(environ=home.environ)


def test_every_key_fills_its_setting(home: ConfigHome) -> None:
    for name in ("ca.pem", "sub/client.pem", "client.key"):
        home.write(name, "")
    settings = home.load(
        """
        interval = "2m"
        theme = "light"
        [prometheus]
        url = "https://head.example:8443/thanos/"
        timeout = "500ms"
        headers = { X-Scope-OrgID = "lab" }
        username = "ann"
        password = { env = "PW" }
        ca_file = "ca.pem"
        client_cert_file = "sub/client.pem"
        client_key_file = "client.key"
        [units]
        temperature = "fahrenheit"
        bytes = "decimal"
        [thresholds]
        temperature_celsius = 70
        temperature_critical_celsius = 80.5
        idle_share = 0.1
        idle_minutes = 5
        memory_share = 1
        disk_share = 0
        stale_scrapes = 2
        clock_skew_seconds = 1.5
    """,
        PW="hidden",
    )
    assert settings == Settings(
        prometheus=PrometheusSettings(
            url="https://head.example:8443/thanos/",
            timeout_seconds=0.5,
            headers=(("X-Scope-OrgID", Secret("lab")),),
            username="ann",
            password=Secret("hidden"),
            ca_file=home.path / "ca.pem",
            client_cert_file=home.path / "sub/client.pem",
            client_key_file=home.path / "client.key",
        ),
        interval_seconds=120.0,
        theme="light",
        units=Units("fahrenheit", "decimal"),
        thresholds=Thresholds(70, 80.5, 0.1, 5, 1, 0, 2, 1.5),
        file=home.file,
    )


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("15", 15), ('"15"', 15), ('"15s"', 15), ('"1.5m"', 90), ('"1h"', 3600), ('"auto"', None), ("2.5", 2.5)],
)
def test_an_interval_is_a_number_a_text_or_auto(home: ConfigHome, typed: str, expected: float | None) -> None:
    assert home.load(f"interval = {typed}").interval_seconds == expected


def test_an_empty_file_means_the_defaults(home: ConfigHome) -> None:
    assert home.load("") == Settings(file=home.file)


def test_a_byte_order_mark_is_no_mistake(home: ConfigHome) -> None:
    assert home.load(b'\xef\xbb\xbftheme = "light"').theme == "light"


CLUSTERS = """
interval = 60
[prometheus]
url = "http://top"
headers = { X-Top = "1" }
[thresholds]
idle_share = 0.2
disk_share = 0.5
[clusters.west]
interval = "auto"
[clusters.west.prometheus]
url = "http://west"
[clusters.west.thresholds]
disk_share = 0.7
[clusters."far east".prometheus]
url = "http://east"
"""


def test_a_profile_is_chosen_by_its_name(home: ConfigHome) -> None:
    west = home.load(CLUSTERS, "west")
    assert (west.cluster, west.prometheus.url, west.interval_seconds) == ("west", "http://west", None)
    assert (west.thresholds.disk_share, west.thresholds.idle_share) == (0.7, 0.2)
    east = home.load(CLUSTERS, "far east")
    assert (east.cluster, east.prometheus.url, east.interval_seconds) == ("far east", "http://east", 60)
    assert east.thresholds.disk_share == 0.5


def test_without_a_choice_the_top_holds(home: ConfigHome) -> None:
    settings = home.load(CLUSTERS)
    assert (settings.cluster, settings.prometheus.url) == ("", "http://top")


def test_default_cluster_chooses_and_the_flag_is_stronger(home: ConfigHome) -> None:
    text = f'default_cluster = "west"\n{CLUSTERS}'
    assert home.load(text).cluster == "west"
    assert home.load(text, "far east").cluster == "far east"


def test_nothing_of_the_top_server_goes_to_a_cluster_of_its_own(home: ConfigHome) -> None:
    assert home.load(CLUSTERS, "west").prometheus == PrometheusSettings(url="http://west")


def test_the_only_cluster_needs_no_choice(home: ConfigHome) -> None:
    assert home.load('[clusters.a.prometheus]\nurl = "http://a"').cluster == "a"


def test_several_clusters_need_a_choice(home: ConfigHome) -> None:
    text = '[clusters.a.prometheus]\nurl = "http://a"\n[clusters.b.prometheus]\nurl = "http://b"'
    (line,) = home.mistakes(text)
    assert "choose one with --cluster or default_cluster" in line
    assert "a, b" in line


def test_an_unknown_cluster_is_told_with_the_known_ones(home: ConfigHome) -> None:
    (line,) = home.mistakes(CLUSTERS, "wets")
    assert line == '--cluster: there is no cluster called "wets"; did you mean "west"? known are west, far east.'
    (line,) = home.mistakes(f'default_cluster = "zzz"\n{CLUSTERS}')
    assert line == 'default_cluster: there is no cluster called "zzz"; known are west, far east.'
    (line,) = home.mistakes("", "west")
    assert "no [clusters.NAME.prometheus] at all" in line


def test_a_cluster_without_any_file_is_an_error(home: ConfigHome) -> None:
    with pytest.raises(ConfigError, match=r'no cluster called "we\\ne": no configuration file'):
        load_settings(cluster="we\ne", environ=home.environ)


def test_overrides_stand_over_the_file() -> None:
    settings = Settings(prometheus=PrometheusSettings(url="http://a", username="ann"), interval_seconds=5)
    changed = with_overrides(settings, url="http://b/x", interval=2, theme="light")
    assert changed.prometheus == PrometheusSettings(url="http://b/x", username="ann")
    assert (changed.interval_seconds, changed.theme) == (2, "light")
    assert with_overrides(settings) == settings
    assert with_overrides(settings, interval="auto").interval_seconds is None
    assert with_overrides(settings, interval="1m").interval_seconds == 60


def test_every_wrong_flag_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        with_overrides(Settings(), url="http://ann:hush@head", interval=float("nan"), theme="pink\x1b")
    first, second, third = caught.value.mistakes
    assert first.startswith("--prometheus: found")
    assert "hush" not in first
    assert second.startswith("--interval: found nan; expected seconds from 1")
    assert third == '--theme: found "pink\\e"; expected "dark" or "light" or "colour-blind" or "mono".'


def test_no_parser_is_loaded_without_a_file(tmp_path: Path) -> None:
    code = (
        "import sys, msgspec; before = set(sys.modules)\n"  # on Python 3.10 msgspec loads subprocess itself
        "from gpumon.config import load_settings, loading; from pathlib import Path\n"
        "loading.SYSTEM_FILE = Path(sys.argv[1], 'none')\n"
        "load_settings(environ={'HOME': sys.argv[1]})\n"
        "print(sorted({'tomllib', 'tomli', 'subprocess'} & set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

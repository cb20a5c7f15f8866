"""What is said about a configuration with mistakes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config_home import ConfigHome
from gpumon.config.values import as_table
from gpumon.errors import ConfigError


def test_all_mistakes_are_told_at_once(home: ConfigHome) -> None:
    lines = home.mistakes(
        """
        them = "dark"
        interval = -1
        [prometheus]
        url = "ftp://head"
        timeout = "soon"
        [units]
        bytes = 7
        [thresholds]
        idle_share = 5
        [clusters.west.prometheus]
        url = "http://"
        [clusters.east.prometheus]
        usrname = "ann"
        """,
        "nowhere",
    )
    assert [line.split(":")[0] for line in lines] == [
        "them",
        "interval",
        "prometheus.url",
        "prometheus.timeout",
        "units.bytes",
        "thresholds.idle_share",
        "clusters.west.prometheus.url",
        "clusters.east.prometheus.usrname",
        "clusters.east.prometheus.url",
        "--cluster",
    ]


EAST = 'prometheus.url = "http://east"'


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("them = 1", "them", "did you mean theme?"),
        ("Theme = 1", "Theme", "did you mean theme?"),
        ('url = "http://x"', "url", "did you mean prometheus.url?"),
        ("[promethus]", "promethus", "did you mean prometheus?"),
        ("[prometheus]\nclient_cert = 1", "prometheus.client_cert", "did you mean prometheus.client_cert_file?"),
        ("[units]\nzzz = 1", "units.zzz", "known here are temperature, bytes"),
        (f"[clusters.a]\nurl = 1\n{EAST}", "clusters.a.url", "did you mean clusters.a.prometheus.url?"),
        (f"[clusters.a]\nunits = 1\n{EAST}", "clusters.a.units", "known here are interval, prometheus, thresholds"),
        (f"[clusters.'a.b']\nzzz = 1\n{EAST}", 'clusters."a.b".zzz', "known here are interval, prometheus, thresholds"),
        ('"\\u001b[31m" = 1', '"\\e[31m"', "known here are interval, theme, default_cluster, prometheus, units, thre"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest(home: ConfigHome, text: str, place: str, advice: str) -> None:
    (line,) = home.mistakes(text)
    assert line.startswith(f"{place}: unknown key; {advice}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("interval = 0", "0"),
        ("interval = nan", "nan"),
        ("interval = inf", "inf"),
        ("interval = true", "true"),
        ("interval = []", "a list"),
        ("interval = 1979-05-27", "a date or time"),
        ('interval = "soon"', '"soon"'),
        ('interval = "-5s"', '"-5s"'),
        ("interval = 1" + "0" * 400, "1000000000000000000000000000000000000000"[:39]),
        ("theme = 1", "1"),
        ('theme = "blue"', '"blue"'),
        ('default_cluster = ""', '""'),
        ("prometheus = 1", "a number"),
        ("units = 'x'", "a text"),
        ("thresholds = [1]", "a list"),
        ("clusters = 2", "a number"),
        ("clusters.a = 2", "a number"),
        ("[clusters.a]\nprometheus = 'http://ann:hush@a'", "a text"),
        ("[prometheus]\nurl = 5", "5"),
        ("[prometheus]\ntimeout = 0", "0"),
        ("[prometheus]\ntimeout = -inf", "-inf"),
        ("[prometheus]\nheaders = 'x'", "a text"),
        ("[prometheus]\nheaders = { 'a b' = 'x' }", 'a header called "a b"'),
        ("[prometheus]\nheaders = { a = 1 }", "a with a number"),
        ("[prometheus]\nheaders = { a = 'x', A = 'y' }", "one header twice"),
        ("[prometheus]\nusername = 'a:b'", '"a:b"'),
        ("[prometheus]\nusername = ' '", '" "'),
        ("[prometheus]\nca_file = ''", '""'),
        ("[prometheus]\nca_file = 3", "3"),
        ("[prometheus]\nca_file = 'gone.pem'", "gone.pem, which cannot be read (No such file or directory)"),
        ("[prometheus]\nca_file = '.'", "which cannot be read (Is a directory)"),
        ("[units]\ntemperature = 'kelvin'", '"kelvin"'),
        ("[thresholds]\nidle_share = 5", "5"),
        ("[thresholds]\nidle_share = '5%'", '"5%"'),
        ("[thresholds]\nidle_share = nan", "nan"),
        ("[thresholds]\ntemperature_celsius = -1", "-1"),
        ("[thresholds]\nstale_scrapes = 0", "0"),
        ("[thresholds]\nidle_minutes = false", "false"),
        ("tui = 'x'", "a text"),
        ("[tui]\nremember = 'no'", '"no"'),
        ("[tui]\nkeys = ['q']", "a list"),
        ("[tui]\nkeys = { app.quit = 5 }", "5 as app.quit"),
        ("[tui]\nkeys = { app.quit = ' ' }", '" " as app.quit'),
        ("[tui]\ncolumns = 'node'", "a text"),
        ("[tui]\ncolumns = { gpus = 'node' }", '"node" as gpus'),
        ("[tui]\ncolumns = { gpus = [] }", "a list as gpus"),
        ("[tui]\ncolumns = { gpus = ['node', 1] }", "a list as gpus"),
        ("[tui]\ncolumns = { gpus = ['node', 'node'] }", "a list as gpus"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected(home: ConfigHome, text: str, found: str) -> None:
    (line,) = home.mistakes(text)[:1]
    assert f"found {found}" in line or found in line.split("; expected")[0]
    assert "; expected " in line
    assert "hush" not in line


@pytest.mark.parametrize(
    "url",
    [
        "head:9090",
        "ftp://head",
        "http://",
        "http:///x",
        "http://:9090",
        "http://head:port",
        "http://head:99999",
        "http://head:0",
        "http://[::1",
        "",
        "http://a b",
        "http://he\\nad",
        "http://head?x=1",
        "http://head#x",
        "http://head:9090/api/v1",
        "http://head:9090/api/v1/",
        "http://head\\u001b[31m",
        "//head",
    ],
)
def test_an_address_that_is_none_is_refused(home: ConfigHome, url: str) -> None:
    (line,) = home.mistakes(f'[prometheus]\nurl = "{url}"')
    assert line.startswith('prometheus.url: found "')
    assert "expected an address such as http://head:9090" in line
    assert "\x1b" not in line


@pytest.mark.parametrize(
    "url", ["http://[::1]:9090", "https://head", "HTTP://head/a/b/", "http://head/x@y", " http://h "]
)
def test_an_address_that_is_one_is_accepted(home: ConfigHome, url: str) -> None:
    assert home.load(f'[prometheus]\nurl = "{url}"').prometheus.url == url.strip()


@pytest.mark.parametrize(
    "url",
    [
        "http://ann:hush@head",
        "http://ann:hu/sh@head",
        "http://hush@head",
        "ann:hush@head",
        "ftp://ann:hush@head/x",
        "http://head/?token=hush",
        "http://ann:hush@[head",
        "http://ann:p@hush@head",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(home: ConfigHome, url: str) -> None:
    (line,) = home.mistakes(f'[prometheus]\nurl = "{url}"')
    assert "hush" not in line
    assert "ann" not in line
    assert "***" in line


def test_a_user_in_an_address_is_refused_with_advice(home: ConfigHome) -> None:
    (line,) = home.mistakes('[prometheus]\nurl = "http://ann:hush@head:9090/x"')
    assert '"http://***@head:9090/x"' in line
    assert "username and password are keys of their own" in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("interval = \n", "(at line 1, column 12)"),
        ("a = 1\nb = [1,\n", "at end of document"),
        ("a = 1\na = 2\n", "(at line 2, column 6)"),
        ("\x00", "not TOML"),
        (b"theme = '\xff'", "not UTF-8 (line 1)"),
        (b"# ok\n# \xe9t\xe9", "not UTF-8 (line 2)"),
        ("theme = 'dark'".encode("utf-16"), "not UTF-8"),
        ("<html><body>", "not TOML"),
        ("x = " + "[" * 100_000, "nested too deeply"),
        ("x = " + "1" * 10_000, "not TOML"),
        ("#" * (1 << 20) + "\n", "longer than any configuration"),
    ],
)
def test_a_file_that_is_no_toml_is_told_with_the_place(home: ConfigHome, text: str | bytes, words: str) -> None:
    (line,) = home.mistakes(text)
    assert words in line


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ('username = "a"\nbearer_token = { env = "T" }', "bearer_token"),
        ('password = { env = "T" }', "password"),
        ('client_key_file = "gpumon.toml"', "client_key_file"),
        ('bearer_token = { env = "T" }\nheaders = { authorization = "x" }', "headers"),
    ],
)
def test_keys_that_exclude_or_need_each_other_are_told(home: ConfigHome, keys: str, place: str) -> None:
    lines = home.mistakes(f"[prometheus]\n{keys}", T="hush")
    assert [line.split(":")[0] for line in lines] == [f"prometheus.{place}"]
    assert "hush" not in str(lines)


def test_a_critical_temperature_below_the_other_is_told(home: ConfigHome) -> None:
    (line,) = home.mistakes("[thresholds]\ntemperature_celsius = 95")
    assert (
        line == "thresholds.temperature_critical_celsius: found 92; expected at least temperature_celsius, which is 95."
    )
    (line,) = home.mistakes(
        '[clusters.a.prometheus]\nurl = "http://a"\n[clusters.a.thresholds]\ntemperature_critical_celsius = 60'
    )
    assert line.startswith("clusters.a.thresholds.temperature_critical_celsius: found 60")


def test_a_cluster_must_say_where_it_is(home: ConfigHome) -> None:
    (line,) = home.mistakes("[clusters.a.thresholds]\nidle_share = 0.1")
    assert line.startswith("clusters.a.prometheus.url: found nothing; expected the address")


VALUES = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.text(st.characters(exclude_categories=["Cs"])), st.none()
)
NAMES = st.one_of(
    st.sampled_from(["interval", "theme", "default_cluster", "prometheus", "units", "thresholds", "clusters", "url",
                     "timeout", "headers", "password", "bearer_token", "file", "env", "idle_share"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
)  # fmt: skip


def toml(value: object) -> str:
    """A value as TOML."""
    if (table := as_table(value)) is not None:
        return "{" + ", ".join(f"{toml(str(key))} = {toml(each)}" for key, each in table.items()) + "}"
    if isinstance(value, bool) or value is None:
        return str(bool(value)).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
    return repr(value)


TREES = st.recursive(VALUES, lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)


@given(st.dictionaries(NAMES, TREES, max_size=5))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_document_is_settings_or_a_config_error(home: ConfigHome, document: dict[str, object]) -> None:
    text = "".join(f"{toml(key)} = {toml(value)}\n" for key, value in document.items())
    try:
        home.load(text)
    except ConfigError as caught:
        error = caught
    else:
        return
    assert error.mistakes
    assert all(line.isprintable() or not line.isascii() for line in error.mistakes)


@given(st.binary(max_size=200))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_settings_or_a_config_error(home: ConfigHome, content: bytes) -> None:
    try:
        home.load(content)
    except ConfigError:
        return


def test_the_section_of_the_setup_is_checked_elsewhere_but_has_to_be_one(home: ConfigHome) -> None:
    home.load('[setup]\nmaster = "head"\nwhatever = 1\n')
    assert "expected a section [setup]" in home.mistakes("setup = 1\n")[0]

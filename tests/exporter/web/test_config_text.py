"""What is read of a web configuration is what YAML says, and the rest is refused with its line."""

from __future__ import annotations

import contextlib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gpumon_exporter.web.config_text import NotUnderstood, read

SAMPLE = """---
# who may come in
tls_server_config:   # certificates
  cert_file: server.crt
  key_file: 'it''s a #key.pem'  # quoted

  "min_version": "TLS\\"12"
basic_auth_users:
    alice: $2y$10$abcdefghijklmnopqrstuv#./x
    b.o-b@site: "$2b$05$x"
empty:
"""


def texts(text: str) -> dict[str, dict[str, str]]:
    """What was read, without the lines."""
    return {name: {key: value.text for key, value in section.values.items()} for name, section in read(text).items()}


def read_by_yaml(text: str) -> dict[str, dict[str, str]]:
    """What a real reader of YAML takes it for."""
    loaded: dict[str, dict[str, str] | None] = yaml.load(text, Loader=yaml.BaseLoader) or {}
    return {name: section or {} for name, section in loaded.items()}


def test_sections_values_quotes_and_comments_are_read() -> None:
    assert texts(SAMPLE) == {
        "tls_server_config": {"cert_file": "server.crt", "key_file": "it's a #key.pem", "min_version": 'TLS"12'},
        "basic_auth_users": {"alice": "$2y$10$abcdefghijklmnopqrstuv#./x", "b.o-b@site": "$2b$05$x"},
        "empty": {},
    }


def test_every_value_knows_its_line() -> None:
    section = read(SAMPLE)["basic_auth_users"]
    assert section.line == 8
    assert section.values["b.o-b@site"].line == 10


def test_line_ends_of_windows_are_no_part_of_a_value() -> None:
    assert texts("a:\r\n  b: c\r\n") == {"a": {"b": "c"}}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: b\n", "line 1: 'a' must be a section"),
        ("  a:\n", "line 1: the first name must not be indented"),
        ("a:\n  b: c\n    d: e\n", "line 3: indented by 4 where 2 is expected"),
        ("a:\n  b:\n", "line 2: 'b' has no value"),
        ("a:\n  b: 1\n  b: 2\n", "line 3: 'b' stands there twice"),
        ("a:\n  b: 1\na:\n", "line 3: 'a' stands there twice"),
        ("a:\n\tb: c\n", "line 2: holds a tab"),
        ("a:\n  b: c\x00\n", "line 2: holds a tab or another character"),
        ("a:\n  - b\n", "line 2: is not `name: value`"),
        ("a:\n  b: [c]\n", "line 2: has a value that needs quotes"),
        ("a:\n  b: &c d\n", "line 2: has a value that needs quotes"),
        ("a:\n  b: |\n", "line 2: has a value that needs quotes"),
        ("a:\n  b: c: d\n", "line 2: has a value that needs quotes"),
        ("a:\n  b: 'c\n", "line 2: has a quoted value that does not end there"),
        ('a:\n  b: "\\n"\n', "holds an unknown escape"),
        ("{a: b}\n", "line 1: is not `name: value`"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        read(text)
    assert complaint in str(refused.value)


@given(st.text(alphabet="ab:# \n'\"\\-$&*[{|>%@!~?.,/", max_size=40))
def test_whatever_is_accepted_means_the_same_to_a_real_reader_of_yaml(text: str) -> None:
    with contextlib.suppress(NotUnderstood):
        mine = texts(text)
        assert mine == read_by_yaml(text)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.text(alphabet="ab:# '\"\\-$&[{|>", max_size=9))))
def test_settings_mean_the_same_to_a_real_reader_of_yaml(settings: list[tuple[str, str]]) -> None:
    text = "s:\n" + "".join(f"  {name}{number}: {value}\n" for number, (name, value) in enumerate(settings))
    with contextlib.suppress(NotUnderstood):
        mine = texts(text)
        assert mine == read_by_yaml(text)

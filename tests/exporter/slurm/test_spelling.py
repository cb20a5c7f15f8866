"""Every spelling of a number or a time that any version of Slurm uses is read, and "not known" never becomes 0."""

from __future__ import annotations

import pytest

from gpumon_exporter.slurm.spelling import count, duration, num, pairs, record, size, when, word


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (None, None),
        (0, 0.0),
        (17, 17.0),
        ({"set": True, "infinite": False, "number": 17}, 17.0),
        ({"set": True, "infinite": True, "number": 0}, None),
        ({"set": False, "infinite": False, "number": 0}, None),
        ({"set": True, "infinite": False}, None),
        ({}, None),
        ("17", None),
        (True, None),
        ([], None),
    ],
)
def test_numbers_of_json(value: object, number: float | None) -> None:
    assert num(value) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("12", 12), ("2K", 2048), ("1.5K", 1536), ("1-4", 1), ("UNLIMITED", None), ("", None), ("N/A", None)],
)
def test_numbers_of_texts(text: str, number: float | None) -> None:
    assert count(text) == number


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("16000M", 16000 * 2**20),
        ("62.50G", 62.5 * 2**30),
        ("1T", 2**40),
        ("1031000", 1031000 * 2**20),
        ("512K", 2**19),
        ("", None),
        ("N/A", None),
        ("4000Mc", None),
    ],
)
def test_sizes_are_mebibytes_unless_they_say_otherwise(text: str, bytes_: float | None) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0:30", 30),
        ("45:00", 45 * 60),
        ("1:00:00", 3600),
        ("01:00:00", 3600),
        ("1-12:00:00", 36 * 3600),
        ("UNLIMITED", None),
        ("NOT_SET", None),
        ("INVALID", None),
        ("NONE", None),
        ("", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "N/A", "Unknown", "NONE", "None", "2026-11-23T14:02:46", "-5", "١٢"])
def test_what_is_no_time_is_not_known(text: str) -> None:
    assert when(text) is None


def test_times_are_seconds_since_1970() -> None:
    assert when("1795443968") == 1795443968.0


@pytest.mark.parametrize("text", ["", "(null)", "N/A", "n/a"])
def test_words_for_nothing_are_nothing(text: str) -> None:
    assert word(text) == ""


def test_pairs_and_records() -> None:
    assert pairs("cpu=2,mem=8000M,gres/gpu:l40s=2,odd") == {"cpu": "2", "mem": "8000M", "gres/gpu:l40s": "2"}
    assert pairs("N/A") == {}
    assert record("Name=a QoS=N/A JobDefaults=DefCpuPerGPU=8 Name=b odd") == {
        "Name": "a",
        "QoS": "",
        "JobDefaults": "DefCpuPerGPU=8",
    }

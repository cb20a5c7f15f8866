"""The one file that carries the Slurm exporter to a machine."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

from gpumon_setup.components.exporter_program import packed


def test_it_runs_with_nothing_else_installed(tmp_path: Path) -> None:
    file = tmp_path / "exporter.pyz"
    file.write_bytes(packed())
    for words in (("--help",), ("gpu-map", "--help")):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-B", file, *words], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        assert "usage:" in done.stdout


def test_the_same_code_gives_the_same_bytes_in_every_process() -> None:
    code = "import sys; from gpumon_setup.components.exporter_program import packed; sys.stdout.buffer.write(packed())"
    again = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    )
    assert again.stdout == packed()


def test_it_can_be_compared_and_holds_no_folder_of_this_machine() -> None:
    assert len(packed()) < 1 << 20
    with zipfile.ZipFile(io.BytesIO(packed())) as archive:
        names = archive.namelist()
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert names == sorted(names)
    assert {name.split("/")[0] for name in names if "/" in name} >= {"gpumon_exporter", "prometheus_client"}
    assert [name for name in names if name.endswith("/LICENSE")]
    assert not [name for name in names if name.startswith(("/", "..")) or "__pycache__" in name]

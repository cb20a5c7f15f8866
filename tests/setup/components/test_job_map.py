"""Where the job map's prolog and epilog are put, what a person has to add, and how they go without draining a node."""

from __future__ import annotations

import pytest

from gpumon_setup.components.dcgm_exporter import DcgmExporter
from gpumon_setup.components.job_map import USUAL, JobMap
from gpumon_setup.resources import Container, Directory, File
from gpumon_setup.resources.slurm_program import NOTHING
from setup.components.places import place, the
from setup.deployments import CONFIG, Cluster
from setup.fake_host import FakeFile

MAP = JobMap()
ENABLED = "[setup.job_map]\nenabled = true\n"
OWN = {"/usr/local/lib/gpumon/job-map-prolog", "/usr/local/lib/gpumon/job-map-epilog"}
BY_PATTERN = {"/etc/slurm/pro.d/90-gpumon-job-map-prolog.sh", "/etc/slurm/epi.d/90-gpumon-job-map-epilog.sh"}
NO_NAMES = "Epilog        = (null)\nEpilogSlurmctld = (null)\nProlog            = (null)\nPrologFlags = Alloc\n"
PATTERNS = "Epilog[0] = /etc/slurm/epi.d/*\nProlog[0]               = /opt/first\nProlog[1] = /etc/slurm/pro.d/*.sh\n"
NAMED = "Epilog = /usr/local/lib/gpumon/job-map-epilog\nProlog = /usr/local/lib/gpumon/job-map-prolog\n"


@pytest.fixture(autouse=True)
def slurm(cluster: Cluster) -> None:
    """slurmctld runs on the head."""
    tells(cluster, NO_NAMES)
    for host in cluster.hosts.values():
        host.files["/etc/slurm"] = host.files["/etc/slurm/pro.d"] = host.files["/etc/slurm/epi.d"] = FakeFile(
            mode=0o755
        )


def tells(cluster: Cluster, conf: str) -> None:
    nodes = "".join(f"NodeName=gpu{number} Gres=gpu:h100:4\n" for number in (1, 2))
    cluster["head"].sections.update({"slurm.nodes": nodes, "slurm.jobs": "", "slurm.conf": conf})


def programs(cluster: Cluster, name: str, more: str = ENABLED) -> set[str]:
    return {one.key for one in MAP.wanted(place(cluster, name, more)) if "job-map-" in one.key}


def test_nobody_has_it_who_did_not_ask_for_it(cluster: Cluster) -> None:
    assert MAP.wanted(place(cluster, "gpu1")) == ()
    assert MAP.advice(place(cluster, "head")) == ()


def test_the_exporter_reads_what_they_write(cluster: Cluster) -> None:
    container = the(Container, DcgmExporter().wanted(place(cluster, "gpu1", ENABLED)))
    assert f"--hpc-job-mapping-dir={USUAL}" in container.command
    assert f"{USUAL}:{USUAL}:ro" in container.volumes
    said = f'{ENABLED}[setup.dcgm_exporter]\njob_map = "/var/lib/jobs"\n'
    wanted = MAP.wanted(place(cluster, "gpu1", said))
    assert the(Directory, wanted, "/var/lib/jobs").holds_data
    assert all(b"/var/lib/jobs" in one.content for one in wanted if isinstance(one, File))


def test_a_folder_that_others_fill_is_only_read(cluster: Cluster) -> None:
    said = '[setup.dcgm_exporter]\njob_map = "/var/lib/jobs"\n'
    assert MAP.wanted(place(cluster, "gpu1", said)) == ()
    assert not the(Directory, DcgmExporter().wanted(place(cluster, "gpu1", said)), "/var/lib/jobs").holds_data


def test_where_a_pattern_finds_programs_they_go_there(cluster: Cluster) -> None:
    tells(cluster, PATTERNS)
    assert programs(cluster, "gpu1") == BY_PATTERN
    assert MAP.advice(place(cluster, "head", ENABLED)) == ()
    cluster["gpu2"].gpus = 0
    cluster["head"].sections["slurm.nodes"] = "NodeName=gpu1 Gres=gpu:4\nNodeName=gpu2 Gres=(null)\n"
    assert programs(cluster, "gpu2") == set()


@pytest.mark.parametrize("pattern", ["/etc/slurm/*/prolog", "/etc/slurm/pro.d/[0-8]*", "/opt/prolog", "*"])
def test_where_none_finds_them_the_lines_are_told(cluster: Cluster, pattern: str) -> None:
    tells(cluster, f"Prolog = {pattern}\n")
    assert programs(cluster, "gpu1") == OWN
    assert [line.strip() for line in MAP.advice(place(cluster, "head", ENABLED))] == [
        "Slurm does not run the job map yet. Add to slurm.conf, and then: scontrol reconfigure",
        "Prolog=/usr/local/lib/gpumon/job-map-prolog",
        "Epilog=/usr/local/lib/gpumon/job-map-epilog",
    ]


def test_a_node_without_gpus_has_what_slurm_conf_will_name(cluster: Cluster) -> None:
    """Slurm would drain it for the want of them."""
    cluster["gpu2"].gpus = 0
    cluster["head"].sections["slurm.nodes"] = (
        "NodeName=gpu1 Gres=gpu:4\nNodeName=gpu2 Gres=(null)\nNodeName=new\x1b Gres=\n"
    )
    assert programs(cluster, "gpu2") == OWN
    assert not [one for one in MAP.wanted(place(cluster, "gpu2", ENABLED)) if USUAL in one.key or "tmpfiles" in one.key]
    assert MAP.advice(place(cluster, "head", ENABLED))[-1] == (
        "A node without these files would be drained; gpumon does not know new\\e."
    )


def test_a_program_of_the_sites_own_may_run_them(cluster: Cluster) -> None:
    more = f"{ENABLED}called_by_others = true\n"
    assert programs(cluster, "gpu1", more) == OWN
    assert MAP.advice(place(cluster, "head", more)) == ()


def deploy(cluster: Cluster, more: str = ENABLED) -> None:
    cluster.configure(CONFIG + more)
    assert cluster.run("--yes", "--only", "job_map") == 0


def test_a_second_run_finds_nothing_to_do_whatever_slurmctld_says(cluster: Cluster) -> None:
    tells(cluster, PATTERNS)
    deploy(cluster)
    assert cluster["gpu1"].files.keys() >= BY_PATTERN
    assert cluster["gpu1"].files[min(BY_PATTERN)].mode == 0o755
    assert cluster.run("--check", "--only", "job_map") == 0
    cluster["head"].sections["slurm.conf"] = ""
    assert cluster.run("--check", "--only", "job_map") == 0


@pytest.mark.parametrize("conf", [PATTERNS, ""])
def test_what_a_pattern_found_among_others_goes_without_a_trace(cluster: Cluster, conf: str) -> None:
    tells(cluster, PATTERNS)
    for name in ("gpu1", "gpu2"):
        cluster[name].files["/etc/slurm/pro.d/own.sh"] = cluster[name].files["/etc/slurm/epi.d/own"] = FakeFile(
            b"", 0o755
        )
    before = cluster["gpu1"].picture()
    deploy(cluster)
    tells(cluster, conf)
    assert cluster.run("uninstall", "--yes") == 0
    assert cluster["gpu1"].picture() == before


def test_where_a_pattern_would_find_nothing_any_more_what_does_nothing_stays(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    tells(cluster, PATTERNS)
    host = cluster["gpu1"]
    deploy(cluster)
    host.files["/etc/slurm/epi.d/own"] = host.files["/etc/slurm/pro.d/no-program"] = FakeFile(b"", 0o755)
    assert cluster.run("uninstall", "--yes", "--limit", "gpu1") == 1
    assert (
        "Prolog=/etc/slurm/pro.d/*.sh in slurm.conf finds nothing else, and would drain nodes"
        in capsys.readouterr().out
    )
    assert [host.files[path].content for path in BY_PATTERN if path in host.files] == [NOTHING]
    host.files["/etc/slurm/pro.d/own.sh"] = FakeFile(b"", 0o755)
    assert cluster.run("uninstall", "--yes", "--limit", "gpu1") == 0
    assert not BY_PATTERN & host.files.keys()


def test_what_slurm_conf_names_stays_and_does_nothing(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    before = cluster["gpu1"].picture()
    deploy(cluster)
    tells(cluster, NAMED)
    capsys.readouterr()
    assert cluster.run("uninstall", "--yes") == 1
    said = capsys.readouterr()
    assert "All that can be done now is done." in said.err
    assert (
        "job_map: leave at /usr/local/lib/gpumon/job-map-prolog a program that does nothing: slurm.conf names it as "
        "Prolog, and its loss would drain nodes; take it out there, scontrol reconfigure, and uninstall again"
    ) in said.out
    for path in OWN:
        assert cluster["gpu1"].files[path].content == NOTHING
        assert cluster["gpu1"].files[path].mode == 0o755
    assert not [path for path in cluster["gpu1"].files if USUAL in path or "tmpfiles" in path]
    assert cluster.run("uninstall", "--yes") == 1
    assert "NOT NOW: remove /usr/local/lib/gpumon/job-map-prolog: slurm.conf names it" in capsys.readouterr().out
    tells(cluster, NO_NAMES)
    assert cluster.run("uninstall", "--yes") == 0
    assert cluster["gpu1"].picture() == before


@pytest.mark.parametrize("conf", ["", NAMED])
def test_what_may_still_be_named_stays_when_it_is_no_longer_wanted(cluster: Cluster, conf: str) -> None:
    deploy(cluster)
    tells(cluster, conf)
    cluster.configure(CONFIG)
    assert cluster.run("--yes", "--only", "job_map") == 1
    assert {cluster["gpu1"].files[path].content for path in OWN} == {NOTHING}
    deploy(cluster)
    assert NOTHING not in {cluster["gpu1"].files[path].content for path in OWN}


def test_what_another_program_runs_stays_while_the_configuration_says_so(cluster: Cluster) -> None:
    deploy(cluster, f"{ENABLED}called_by_others = true\n")
    assert cluster.run("uninstall", "--yes") == 1
    assert {cluster["gpu1"].files[path].content for path in OWN} == {NOTHING}
    cluster.configure(CONFIG)
    assert cluster.run("uninstall", "--yes") == 0
    assert not OWN & cluster["gpu1"].files.keys()


def test_status_and_verify_tell_that_slurm_does_not_run_it(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.configure(CONFIG + ENABLED)
    assert cluster.run("--yes") == 1
    said = capsys.readouterr().out
    assert (
        "FAILED  Slurm runs the job map: head: its configuration does not name it. Add to slurm.conf, and then" in said
    )
    assert "Prolog=/usr/local/lib/gpumon/job-map-prolog and Epilog=/usr/local/lib/gpumon/job-map-epilog" in said
    cluster.run("status")
    assert "job_map         down" in capsys.readouterr().out
    tells(cluster, NAMED)
    assert cluster.run("verify") == 0
    assert "ok      Slurm runs the job map: head" in capsys.readouterr().out
    tells(cluster, "")
    assert cluster.run("verify") == 1
    assert "Slurm runs the job map: head: slurmctld does not say what it runs. systemctl" in capsys.readouterr().out
    cluster.run("status")
    assert "job_map         as planned" in capsys.readouterr().out

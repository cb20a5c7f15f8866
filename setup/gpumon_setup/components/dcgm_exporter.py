"""dcgm-exporter on every node with NVIDIA GPUs: what each of them does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import ClassVar, cast

from gpumon.config.keys import Key
from gpumon.config.values import choice, or_word
from gpumon_setup.components import images, values
from gpumon_setup.components.component import CannotHave, Place, at
from gpumon_setup.components.gpu_access import container_engine, gpu_flags
from gpumon_setup.components.job_map import folder_of_map, map_folder
from gpumon_setup.components.scraping import DCGM_PORT, has_gpus, port_of, scrape_seconds
from gpumon_setup.inventory import Role
from gpumon_setup.inventory.keys import port, yes_or_no
from gpumon_setup.resources import Container, Directory, File, Resource, in_engine

FOLDER = "/etc/gpumon/dcgm-exporter"
HOST_ENGINE = "localhost:5555"
"""Where nv-hostengine listens."""
_PROFILING = "DCGM_FI_PROF_"
_CANNOT_PROFILE = re.compile(r"GeForce|TITAN|Quadro|Tesla [KMP][0-9]")
"""Models whose counters DCGM cannot read: consumers' cards, and what is older than Volta."""


class DcgmExporter:
    """A container: NVIDIA has no package of it in any distribution."""

    name: ClassVar[str] = "dcgm_exporter"
    purpose: ClassVar[str] = "what every GPU does"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("port", port, "port"),
        Key("image", values.image, "image"),
        Key("profiling", or_word("auto", None, yes_or_no), "profiling"),
        Key("gpu_access", choice("auto", "cdi", "gpus"), "gpu_access"),
        Key("host_engine", or_word("auto", None, or_word("embedded", "", values.host_and_port)), "host_engine"),
        Key("job_map", values.folder, "job_map"),
    )

    def wanted(self, place: Place) -> Sequence[Resource]:
        """It listens at the one address by which the master reaches the node."""
        if Role.NODE not in place.machine.roles or not has_gpus(place.site, place.machine):
            return ()
        _have_driver(place)
        engine = container_engine(place)
        host_engine = _host_engine(place)
        profiles = _profiles(place)
        counters = File(f"{FOLDER}/counters.csv", counters_file(profiles=profiles))
        job_map = map_folder(place)
        container = Container(
            name="gpumon-dcgm-exporter",
            image=cast("str | None", place.option(self.name, "image")) or _image(place, engine),
            command=tuple(self._flags(place, counters.path, host_engine, job_map)),
            # The folder, since a file that is replaced would stay the old one inside.
            volumes=(f"{FOLDER}:{FOLDER}:ro", *((f"{job_map}:{job_map}:ro",) if job_map else ())),
            # Its entrypoint would give the program a file capability, which needs more rights than using it as root.
            environment=(("NO_SETCAP", "yes"),),
            options=gpu_flags(place, engine),
            # nv-hostengine does the profiling where it runs.
            capabilities=("SYS_ADMIN",) if profiles and not host_engine else (),
            # Its entrypoint and NVIDIA's hooks write the cache of libraries.
            is_read_only=False,
            reads=(counters.digest,),
        )
        image, *running = in_engine(container, engine)
        maps = (folder_of_map(place),) if job_map else ()
        return Directory(FOLDER), *maps, counters, image, *running

    def _flags(self, place: Place, counters: str, host_engine: str, job_map: str) -> Iterator[str]:
        yield f"--collectors={counters}"
        yield f"--address={at(place.listening, port_of(place.site, self.name, DCGM_PORT))}"
        # It reads each field once in this time; a scrape in between would see the same numbers again.
        yield f"--collect-interval={scrape_seconds(place.site) * 1000:.0f}"
        if host_engine:
            yield f"--remote-hostengine-info={host_engine}"
        if job_map:
            yield f"--hpc-job-mapping-dir={job_map}"


@cache
def counters_file(*, profiles: bool) -> bytes:
    """The list of fields, with those of profiling or without."""
    text = (files("gpumon_setup.components") / "dcgm_counters.csv").read_text("utf-8")
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if profiles or not line.startswith(_PROFILING)).encode()


def _have_driver(place: Place) -> None:
    gpus = place.facts.gpus
    if gpus.found:
        return
    without = 'or do without: [setup] without = ["dcgm_exporter", "gpu_map"].'
    if gpus.problem:
        raise CannotHave(f"dcgm_exporter: nvidia-smi says: {gpus.problem}. Repair the driver, {without}")
    if gpus.on_bus:
        raise CannotHave(
            f"dcgm_exporter: {gpus.on_bus} GPUs are on the PCI bus, and no NVIDIA driver speaks of them. "
            f"Install it, {without}"
        )
    raise CannotHave(f"dcgm_exporter: Slurm counts GPUs here, and none is on the PCI bus. Repair the node, {without}")


def _host_engine(place: Place) -> str:
    """Where nv-hostengine is to be asked; "" when the exporter does its work itself."""
    wanted = cast("str | None", place.option(DcgmExporter.name, "host_engine"))
    return wanted if wanted is not None else (HOST_ENGINE if place.facts.gpus.has_host_engine else "")


def _profiles(place: Place) -> bool:
    wanted = cast("bool | None", place.option(DcgmExporter.name, "profiling"))
    return (
        wanted if wanted is not None else any(not _CANNOT_PROFILE.search(gpu.model) for gpu in place.facts.gpus.found)
    )


def _image(place: Place, engine: str) -> str:
    docker = place.facts.engine("docker") if engine == "docker" else None
    major = docker.version.partition(".")[0] if docker is not None else ""
    return images.DCGM_EXPORTER_FOR_DOCKER_29 if major.isdecimal() and int(major) >= 29 else images.DCGM_EXPORTER

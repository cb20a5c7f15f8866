"""How a container gets a node's GPUs: by a CDI specification where there is one, else by docker's own flag."""

from __future__ import annotations

from gpumon_setup.components.component import CannotHave, Place

ALL_BY_CDI = "nvidia.com/gpu=all"
_TOOLKIT = "install nvidia-container-toolkit (apt-get install nvidia-container-toolkit, from NVIDIA's repository)"
_SPECIFICATION = "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"


def container_engine(place: Place) -> str:
    """The engine that runs what comes as a container only; where natives are wanted, any that is there.

    Raises:
        CannotHave: there is none.
    """
    if place.engine != "native":
        return place.engine
    found = next((engine.name for engine in place.facts.engines if not engine.problem), "")
    if not found:
        raise CannotHave(
            "dcgm_exporter comes as a container only; install docker or podman here, or do without: "
            '[setup] without = ["dcgm_exporter"].'
        )
    return found


def gpu_flags(place: Place, engine: str) -> tuple[str, ...]:
    """The flags of docker run or podman run that bring all GPUs in.

    CDI goes first: a container that has its GPUs by docker's own flag loses them when systemd reads its files anew.

    Raises:
        CannotHave: there is no way yet, and what makes one.
    """
    gpus, docker = place.facts.gpus, place.facts.engine("docker")
    wanted = place.option("dcgm_exporter", "gpu_access") or "auto"
    by_cdi = (f"--device={ALL_BY_CDI}",)
    if engine == "podman":
        if wanted == "gpus":
            raise CannotHave('dcgm_exporter: podman knows CDI only; leave gpu_access = "gpus" away.')
        if gpus.cdi_files or wanted == "cdi":
            return by_cdi
        steps = _SPECIFICATION if gpus.has_toolkit else f"{_TOOLKIT}, then {_SPECIFICATION}"
        raise CannotHave(f"dcgm_exporter: podman has no CDI specification of the GPUs; {steps}.")
    if wanted == "cdi" or (wanted == "auto" and docker is not None and ALL_BY_CDI in docker.cdi_devices):
        return by_cdi
    if wanted == "gpus" or gpus.has_toolkit or (docker is not None and docker.has_nvidia_runtime):
        return ("--gpus=all",)
    raise CannotHave(f"dcgm_exporter: docker cannot give GPUs to containers; {_TOOLKIT}.")

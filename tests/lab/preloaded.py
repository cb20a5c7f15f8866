"""The folder of a docker that has every image already, for tests whose subject is not pulling."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from lab.cached import is_made, made_by, making, recipe
from lab.failures import LabFailed
from lab.images.build import images
from lab.layers import Layers
from lab.node import Node
from lab.places import Places
from lab.plan import Plan
from lab.seed import DOCKER_DATA
from lab.shell import script

PULL_ALL = r"""
set -eu
for image in "$@"; do docker pull -q "$image"; done
systemctl stop docker.socket docker containerd
rm -f /var/lib/docker/engine-id
"""


def build(lab: Places, layers: Layers, started: Callable[[Plan], AbstractContextManager[Node]]) -> None:
    """Has one machine pull everything, and keeps its store."""
    by = recipe(PULL_ALL, layers.recipe("docker"), made_by((lab.cache / "registry").resolve()))
    store = layers.folder / "docker-store"
    if is_made(store, by):
        return
    plan = Plan(machines=1, suite=layers.folder.name)
    with making(store, by) as unfinished, started(plan) as node:
        done = node.run("bash", "-c", PULL_ALL, "lab", *images(lab))
        if done.returncode:
            raise LabFailed(f"The images for the docker store could not be pulled: {done.stdout[-2000:]}")
        script("mv $1 $2", lab.node(node.name) / f"data{DOCKER_DATA}", unfinished)

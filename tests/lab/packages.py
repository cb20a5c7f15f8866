"""The Debian archive that nodes see: what their layers came from, and what an installation may want besides."""

from __future__ import annotations

from lab.cached import is_made, making, recipe
from lab.layers import APT, Layers
from lab.shell import script

OFFERED = ("docker.io", "podman", "prometheus", "prometheus-node-exporter")
"""With all that they depend on beyond the first flavor."""
INDEX = """
cd $1
apt-ftparchive packages . >Packages
apt-ftparchive release . >Release
"""


def build(layers: Layers) -> None:
    """Fetches what is offered, and writes the index anew when a package came."""
    offered = layers.folder / "offered"
    by = recipe(OFFERED, layers.recipe("base"))
    if not is_made(offered, by):
        with making(offered, by) as folder:
            wanted = f"{APT} -y --no-install-recommends --download-only install {' '.join(OFFERED)}"
            layers.run_on_top("base", folder, f"{APT} update\n{wanted}\n")
    index = layers.packages / "Release"
    by = recipe(INDEX, sorted(package.name for package in layers.packages.glob("*.deb")))
    if not is_made(index, by):
        with making(index, by) as unfinished:
            script(INDEX, layers.packages)
            index.rename(unfinished)

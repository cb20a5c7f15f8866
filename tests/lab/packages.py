"""The Debian archive that nodes see: what their layers came from, and what an installation may want besides."""

from __future__ import annotations

from lab import grafana_package
from lab.cached import is_made, making, recipe
from lab.layers import APT, Layers
from lab.shell import script

OFFERED = ("docker.io", "podman", "prometheus", "prometheus-node-exporter", "python3-yaml", "adduser")
"""With all that they depend on beyond the first flavor."""
INDEX = """
cd $1
apt-ftparchive packages . >Packages
apt-ftparchive release . >Release
"""


def build(layers: Layers) -> None:
    """Fetches what is offered, makes the stand-in for Grafana's package, and writes the index anew when one came."""
    offered = layers.folder / "offered"
    by = recipe(OFFERED, layers.recipe("base"))
    if not is_made(offered, by):
        with making(offered, by) as folder:
            wanted = f"{APT} -y --no-install-recommends --download-only install {' '.join(OFFERED)}"
            layers.run_on_top("base", folder, f"{APT} update\n{wanted}\n")
    grafana = layers.folder / "grafana-package"
    by_grafana = recipe(grafana_package.ingredients())
    if not is_made(grafana, by_grafana):
        with making(grafana, by_grafana) as folder:
            folder.mkdir()
            grafana_package.build(folder, layers.packages)
    index = layers.packages / "Release"
    by = recipe(INDEX, by_grafana, sorted(package.name for package in layers.packages.glob("*.deb")))
    if not is_made(index, by):
        with making(index, by) as unfinished:
            script(INDEX, layers.packages)
            index.rename(unfinished)

"""Disk images: node_exporter leaves overlays out, so a test of file systems needs nodes on ext4."""

from __future__ import annotations

from pathlib import Path

from lab.cached import is_made, making, recipe
from lab.layers import Layers
from lab.shell import contained_script

SIZE = "20G"
MAKE = """
# $1 the image, $2 the layers; the image is sparse, so it takes what the files take.
root=$1.root
mkdir $root
case $2 in
*:*) mount -t overlay lab -o "lowerdir=$2" $root ;;
*) mount --bind $2 $root ;;
esac
mke2fs -q -t ext4 -E lazy_itable_init=1,nodiscard -d $root $1 $3
umount $root
rmdir $root
"""


def build(layers: Layers, flavor: str) -> Path:
    """A flavor's files as an ext4 disk, of which nodes get sparse copies."""
    image = layers.folder / f"{flavor}.img"
    by = recipe(MAKE, SIZE, layers.recipe(flavor))
    if not is_made(image, by):
        with making(image, by) as unfinished:
            contained_script(MAKE, unfinished, layers.lower_directories(flavor), SIZE)
    return image

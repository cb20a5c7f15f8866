"""Images for machines that no registry reaches: what they miss comes out of archives that lie here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gpumon.text import shown
from gpumon_setup.components import Place
from gpumon_setup.failures import SetupError
from gpumon_setup.inventory import folded
from gpumon_setup.plan.planning import Wanted
from gpumon_setup.plan.preflight import ARCHITECTURES, disk_of
from gpumon_setup.resources import ArchivedImage, Image, Resource, archived_images, whole_name

_WAITING = "/var/tmp"  # noqa: S108  # a folder of the user's own is made in it
"""Where an image waits on a machine until it is loaded."""
_GB = 1e9


def supplied(wishes: Mapping[str, Wanted], places: Mapping[str, Place]) -> Mapping[str, Wanted]:
    """Wishes in which each image that is missing has its source, where archives are named.

    Nothing is read while nothing is missing: the stick that the archive was on may be gone by then.

    Raises:
        SetupError: an archive cannot be used, or lacks what a machine needs.
    """
    path = next((place.site.inventory.image_archive for place in places.values()), None)
    missing = {name: list(_missing(wishes[name], place)) for name, place in places.items()}
    if path is None or not any(missing.values()):
        return wishes
    stock: dict[tuple[str, str], ArchivedImage] = {}
    for held in archived_images(path):
        stock.setdefault((held.name, held.architecture), held)
    found: dict[str, dict[Image, ArchivedImage]] = {name: {} for name in places}
    lacks: dict[str, list[str]] = {}
    for name, images in missing.items():
        architecture = architecture_of(places[name])
        for image in images:
            source = _source(stock, image.name, architecture)
            if source is not None:
                found[name][image] = source
            else:
                lacks.setdefault(_lack(stock, image.name, architecture), []).append(name)
    if lacks:
        told = "; ".join(f"{words}, for {','.join(folded(names))}" for words, names in lacks.items())
        raise SetupError(
            f"{shown(str(path), 300)} lacks what is needed: {shown(told, 1000)}.",
            advice="gpumon setup save-images FILE writes an archive of all that is needed, where there are an engine "
            "and a registry. No machine was touched.",
        )
    return {name: _with_sources(wishes[name], found[name], places[name]) for name in places}


def architecture_of(place: Place) -> str:
    """A machine's, as images call it."""
    return ARCHITECTURES.get(place.facts.architecture, place.facts.architecture)


def _missing(wishes: Wanted, place: Place) -> Iterator[Image]:
    for _, resource in wishes.resources:
        if isinstance(resource, Image) and resource.missing(place.facts.state):
            yield resource


def _source(stock: Mapping[tuple[str, str], ArchivedImage], name: str, architecture: str) -> ArchivedImage | None:
    whole = whole_name(name)
    return stock.get((whole, architecture)) or stock.get((whole, ""))


def _lack(stock: Mapping[tuple[str, str], ArchivedImage], name: str, architecture: str) -> str:
    """Why an image cannot be had."""
    if "@" in name:
        return f"{name} (no archive keeps a digest: name the image by its tag alone)"
    others = [other for known, other in stock if known == whole_name(name)]
    return f"{name} ({' and '.join(others)} alone are there, {architecture} is not)" if others else name


def _with_sources(wishes: Wanted, sources: Mapping[Image, ArchivedImage], place: Place) -> Wanted:
    found: Mapping[Resource, Resource] = {image: replace(image, source=source) for image, source in sources.items()}
    resources = tuple((component, found.get(resource, resource)) for component, resource in wishes.resources)
    return replace(wishes, resources=resources, obstacles=(*wishes.obstacles, *_disk(tuple(sources.values()), place)))


def _disk(sources: Sequence[ArchivedImage], place: Place) -> Iterator[str]:
    """One image after the other waits on the disk, and is gone from there once it is loaded."""
    disk = disk_of(place, _WAITING)
    needed = max((source.alone(source.name).size for source in sources), default=0)
    if disk is not None and disk.free_bytes < needed:
        yield (
            f"{disk.path} has {disk.free_bytes / _GB:.1f} GB left, and an image that is sent needs "
            f"{needed / _GB:.1f} GB in {_WAITING}. Make room."
        )

"""Makes the layers of images, each only when its own recipe changed, and the registry's folder from them."""

from __future__ import annotations

import inspect
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab.archive import Apt, mirror
from lab.cached import drop_unused, is_made, making, recipe
from lab.images import archives, store, trees
from lab.images.catalogue import IMAGES, Image
from lab.images.programs import APART, PROGRAMS, STANDINS
from lab.images.store import Layer, RegistryStore
from lab.places import Places

PACKING = inspect.getsource(trees) + inspect.getsource(archives)
"""Part of every layer's recipe."""


def build(lab: Places) -> None:
    """Brings the registry's folder to what the catalogue says."""
    with tempfile.TemporaryDirectory() as work:
        layers = LayerFiles(lab.cache / "images", Path(work))
        chosen = [(image, layers.of(image)) for image in IMAGES]
    by = recipe(IMAGES, inspect.getsource(store), [layer.digest for _, files in chosen for layer in files])
    folder = lab.cache / f"registry-{by}"
    if not is_made(folder, by):
        _fill(folder, by, chosen, layers)
    _lead(lab.cache / "registry", folder)
    drop_unused(lab.cache, "registry-*", ())


def _lead(link: Path, target: Path) -> None:
    new = link.with_name(f"{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target.name)
    new.replace(link)


def _fill(folder: Path, by: str, chosen: Sequence[tuple[Image, Sequence[Layer]]], layers: LayerFiles) -> None:
    with making(folder, by) as unfinished:
        registry = RegistryStore(unfinished)
        listed: dict[str, str] = {}
        for image, files in chosen:
            tags = sorted({tag.format(version=layers.version(image)) for tag in image.tags})
            for name in image.names:
                short = name.partition("/")[2]
                digest = registry.add(short, tags, image, files)
                listed |= {f"{name}:{tag}": digest for tag in tags}
        (unfinished / "images.json").write_text(json.dumps(listed, indent=1))


def images(lab: Places) -> dict[str, str]:
    """What the registry has, with each image's digest."""
    listed: dict[str, str] = json.loads((lab.cache / "registry" / "images.json").read_text())
    return listed


class LayerFiles:
    """The archives that images consist of, made when they are asked for."""

    def __init__(self, folder: Path, work: Path) -> None:
        self._folder = folder
        self._work = work
        self._apts: dict[str, Apt] = {}

    def of(self, image: Image) -> list[Layer]:
        """From the lowest to the topmost."""
        if image.program in STANDINS:
            return [self._python(image.suite), self._standin(image.program)]
        return [self._libraries(image.suite), self._program(image.suite, image.program)]

    def version(self, image: Image) -> str:
        """What the archive has of a program; a stand-in has none."""
        noted = self._folder / f"{image.program}-{image.suite}.version"
        return noted.read_text() if noted.exists() else ""

    def _apt(self, suite: str) -> Apt:
        if suite not in self._apts:
            self._apts[suite] = Apt(self._work / suite, suite)
        return self._apts[suite]

    def _libraries(self, suite: str) -> Layer:
        by = recipe(mirror(), trees.LIBRARIES, PACKING)
        return self._made(f"libraries-{suite}", by, lambda tree: trees.lay_out_libraries(tree, self._apt(suite)), {})

    def _python(self, suite: str) -> Layer:
        by = recipe(mirror(), trees.PYTHON, PACKING)
        return self._made(f"python-{suite}", by, lambda tree: trees.lay_out_python(tree, self._apt(suite)), {})

    def _program(self, suite: str, name: str) -> Layer:
        program = PROGRAMS[name]
        apart = APART.get(suite, {}).get(name, ())

        def lay_out(tree: Path) -> None:
            version = trees.lay_out_program(tree, self._apt(suite), program, apart)
            (self._folder / f"{name}-{suite}.version").write_text(version)

        by = recipe(mirror(), program, apart, PACKING)
        return self._made(f"{name}-{suite}", by, lay_out, program.folders)

    def _standin(self, name: str) -> Layer:
        standin = STANDINS[name]
        sources = [(trees.STANDIN_SOURCES / source).read_bytes() for source in standin.files]
        by = recipe(standin, sources, PACKING)
        return self._made(name, by, lambda tree: trees.lay_out_standin(tree, name), standin.folders)

    def _made(self, name: str, by: str, lay_out: Callable[[Path], None], owners: Mapping[str, int]) -> Layer:
        file = self._folder / f"{name}.tar"
        digest = self._folder / f"{name}.digest"
        if not is_made(file, by):
            with making(file, by) as unfinished:
                tree = unfinished.with_name(f"{unfinished.name}.tree")
                tree.mkdir()
                lay_out(tree)
                archives.pack(tree, unfinished, owners)
                shutil.rmtree(tree)
                digest.write_text(store.digest_of(unfinished))
        return Layer(file, digest.read_text())

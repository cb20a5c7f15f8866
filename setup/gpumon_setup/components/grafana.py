"""Grafana on the master: dashboards for whoever likes a browser better than a terminal."""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterator, Sequence
from typing import ClassVar, cast

from gpumon.config.keys import Key
from gpumon.config.values import or_word, url
from gpumon_setup.components import images, values
from gpumon_setup.components.component import CannotHave, Place, at
from gpumon_setup.components.grafana_files import FOLDER, FOLDERS, PASSWORD, dashboards, data_source, provider
from gpumon_setup.components.grafana_package import PROGRAM, RESET, package_resources
from gpumon_setup.components.grafana_settings import data_of, listening, settings
from gpumon_setup.components.prometheus import reached
from gpumon_setup.components.scraping import scrape_seconds
from gpumon_setup.inventory import Machine, Role
from gpumon_setup.inventory.keys import port, yes_or_no
from gpumon_setup.resources import Container, Directory, Resource, Secret, in_engine

USER = "472:0"
"""The user of the image, by number."""


class Grafana:
    """A container, or its makers' package where there is no engine."""

    name: ClassVar[str] = "grafana"
    purpose: ClassVar[str] = "dashboards in a browser"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("port", port, "port"),
        Key("listen", or_word("all", "", values.ip_address), "listen"),
        Key("image", values.image, "image"),
        Key("data", values.folder, "data"),
        Key("anonymous", yes_or_no, "anonymous"),
        Key("prometheus", url, "prometheus"),
    )

    def wanted(self, place: Place) -> Sequence[Resource]:
        """Where Prometheus is. Dashboards are looked at while it runs, so another one needs no restart."""
        if Role.MASTER not in place.machine.roles:
            return ()
        started_with = data_source(_prometheus(place), scrape_seconds(place.site)), provider()
        digests = tuple(file.digest for file in started_with)
        read = *started_with, *dashboards()
        if place.engine == "native":
            return package_resources(place, read, digests)
        image = cast("str | None", place.option(self.name, "image")) or images.GRAFANA
        data = data_of(place)
        container = Container(
            name="gpumon-grafana",
            image=image,
            volumes=(f"{FOLDER}:{FOLDER}:ro", f"{data}:{data}"),
            environment=(*settings(place), ("GF_SECURITY_ADMIN_PASSWORD__FILE", PASSWORD)),
            user=USER,
            # Some versions unpack the plugins that they bring along, the one for Prometheus among them.
            is_read_only=False,
            reads=digests,
        )
        pulled, *running = in_engine(container, place.engine)
        password = Secret(PASSWORD, USER, f"{data}/grafana.db", _telling(place.engine, image, data))
        return *FOLDERS, *read, Directory(data, 0o750, USER, holds_data=True), pulled, password, *running

    def advice(self, place: Place) -> Sequence[str]:
        """How a browser gets there, and where the password is."""
        return tuple(_advice(place)) if Role.MASTER in place.machine.roles else ()


def _prometheus(place: Place) -> str:
    """Where Grafana asks."""
    named = cast("str | None", place.option(Grafana.name, "prometheus"))
    if named is not None:
        return named
    if "prometheus" in place.site.inventory.without:
        raise CannotHave(
            "grafana: gpumon brings no Prometheus that it could ask. Name yours: [setup.grafana] "
            'prometheus = "http://head:9090"; or do without: [setup] without = ["prometheus", "grafana"].'
        )
    return f"http://{reached(place)}"


def _telling(engine: str, image: str, data: str) -> tuple[str, ...]:
    """What tells the database another password, whether Grafana runs or not."""
    return (
        *(engine, "run", "--rm", "--interactive", "--pull=never", "--network=none", "--cap-drop=ALL"),
        *(f"--user={USER}", f"--volume={data}:{data}", f"--env=GF_PATHS_DATA={data}", f"--entrypoint={PROGRAM}"),
        *(image, *RESET),
    )


def _advice(place: Place) -> Iterator[str]:
    address, own_port = listening(place)
    shell = ("ssh", *_way(place.machine))
    if address and ipaddress.ip_address(address).is_loopback:
        tunnel = shlex.join((shell[0], "-L", f"{own_port}:{at(address, own_port)}", *shell[1:]))
        yield f"Grafana, from your own computer: {tunnel}"
        yield f"  then open http://localhost:{own_port} as admin; its password: {_shown_by(shell)}"
    else:
        yield f"Grafana: http://{at(address or place.address, own_port)} as admin; its password: {_shown_by(shell)}"


def _shown_by(shell: Sequence[str]) -> str:
    """What shows the password to who may see it; sudo may want a terminal."""
    return shlex.join((shell[0], "-t", *shell[1:], "sudo", "cat", PASSWORD))


def _way(machine: Machine) -> Iterator[str]:
    """The words behind ssh that lead to a machine."""
    if machine.port:
        yield from ("-p", str(machine.port))
    if machine.jump:
        yield from ("-J", machine.jump.replace(" ", ""))
    name = machine.address or machine.name
    yield f"{machine.user}@{name}" if machine.user else name

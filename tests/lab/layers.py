"""Builds the layers that nodes' files are made of: the first by mmdebstrap, others by apt on top of those below."""

from __future__ import annotations

from pathlib import Path

from lab.archive import mirror
from lab.cached import is_made, making, recipe
from lab.flavors import flavors
from lab.network import SEATS
from lab.places import Places
from lab.shell import contained_script

APT = "apt-get -qq -o Acquire::Check-Valid-Until=false -o APT::Keep-Downloaded-Packages=true -o APT::Sandbox::User=root"
NODE_SOURCE = f"deb [trusted=yes] http://{SEATS['svc']}/ ./\n"
"""What a node's own apt finds: the packages that its layers were made from."""

BOOTSTRAP = r"""
# $1 where, $2 suite, $3 mirror, $4 packages, $5 folder for them, $6 setup, $7 and $9 its arguments, $8 apt's source
target=$1 debs=$5
mmdebstrap --mode=root --variant=minbase --format=directory --skip=cleanup/apt --skip=download/empty \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Keep-Downloaded-Packages "true"' \
    --setup-hook='mkdir -p "$1/var/cache/apt/archives"' --include="$4" \
    --customize-hook="find \"\$1/var/cache/apt/archives\" -name '*.deb' -exec mv -n {} $debs/ \\;" \
    "$2" "$target" "$3"
rm -rf $target/var/lib/apt/lists/* $target/var/cache/apt/*.bin $target/etc/apt/sources.list.d/*
printf '%s' "$8" >$target/etc/apt/sources.list
chroot $target sh -euc "$6" lab "$7" "$9"
"""

ON_TOP = r"""
# $1 where, $2 layers below, $3 apt's source now, $4 packages, $5 script, $6 apt's source later, $7 $8 its arguments
root=$1.root
mkdir -p $1 $1.work $root
mount -t overlay lab -o "lowerdir=$2,upperdir=$1,workdir=$1.work" $root
mount -t proc proc $root/proc
mount -t tmpfs tmpfs $root/tmp
rm -f $root/etc/resolv.conf
cp /etc/resolv.conf $root/etc/resolv.conf
printf '%s' "$3" >$root/etc/apt/sources.list
printf '#!/bin/sh\nexit 101\n' >$root/usr/sbin/policy-rc.d
chmod 755 $root/usr/sbin/policy-rc.d
mkdir -p $4/partial $root/var/cache/apt/archives
mount --bind $4 $root/var/cache/apt/archives
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
chroot $root sh -euc "$5" lab "${7:-}" "${8:-}"
printf '%s' "$6" >$root/etc/apt/sources.list
rm -rf $root/usr/sbin/policy-rc.d $root/var/lib/apt/lists/*
umount $root/var/cache/apt/archives $root/proc $root/tmp $root
rm -rf $1.work $root
"""


class Layers:
    """The layers of one Debian release."""

    def __init__(self, lab: Places, suite: str) -> None:
        self._lab = lab
        self._suite = suite
        self._flavors = flavors(suite)
        self.folder = lab.suite(suite)
        """Where they are."""
        self.packages = self.folder / "packages"
        """Every package that went into them."""

    def recipe(self, flavor: str) -> str:
        """What a flavor is made by, with all below it."""
        wanted = self._flavors[flavor]
        below = self.recipe(wanted.below) if wanted.below else None
        return recipe(mirror(), wanted, self._arguments, below, BOOTSTRAP, ON_TOP, NODE_SOURCE)

    def layer(self, flavor: str) -> Path:
        """The files that one flavor adds; another recipe has another folder, since machines may run on the old one."""
        return self.folder / f"{flavor}-{self.recipe(flavor)}"

    def lower_directories(self, flavor: str) -> str:
        """What overlayfs is told to put a node of that flavor on, topmost first."""
        chain: list[str] = []
        name: str | None = flavor
        while name:
            chain.append(str(self.layer(name)))
            name = self._flavors[name].below
        return ":".join(chain)

    def build(self, flavor: str) -> None:
        """Makes a flavor and those below it, as far as they are not there."""
        wanted = self._flavors[flavor]
        if wanted.below:
            self.build(wanted.below)
        layer = self.layer(flavor)
        if is_made(layer, self.recipe(flavor)):
            return
        self.packages.mkdir(parents=True, exist_ok=True)
        with making(layer, self.recipe(flavor)) as folder:
            if wanted.below:
                install = f"{APT} update\n{APT} -y --no-install-recommends install {' '.join(wanted.packages)}\n"
                self.run_on_top(wanted.below, folder, install + wanted.setup, *self._arguments)
            else:
                key, certificate = self._arguments
                contained_script(
                    BOOTSTRAP,
                    *(folder, self._suite, mirror(), ",".join(wanted.packages), self.packages),
                    *(wanted.setup, key, NODE_SOURCE, certificate),
                    log=self.folder / f"{flavor}.log",
                )

    @property
    def _arguments(self) -> tuple[str, str]:
        return (self._lab.keys / "id_ed25519.pub").read_text(), (self._lab.keys / "ca.crt").read_text()

    def run_on_top(self, flavor: str, folder: Path, text: str, *arguments: str) -> None:
        """Runs a script with the archive at hand in a root of a flavor's layers; what it writes goes to `folder`."""
        contained_script(
            ON_TOP,
            *(folder, self.lower_directories(flavor), f"deb {mirror()} {self._suite} main\n"),
            *(self.packages, text, NODE_SOURCE, *arguments),
            log=self.folder / f"{folder.name.partition('-')[0]}.log",
        )

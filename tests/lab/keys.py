"""Keys and certificates: one SSH key for every user, host keys of each node, a CA that nodes trust for the registry."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.cached import is_made, making, recipe
from lab.network import SEATS
from lab.places import Places
from lab.shell import script

REGISTRIES = ("registry-1.docker.io", "index.docker.io", "docker.io", "nvcr.io", "quay.io", "ghcr.io")
"""Names that the registry's seat answers to, so that images keep their real names."""
HOST_KEYS = ("ed25519", "ecdsa", "rsa")

MAKE = r"""
mkdir -p $1; cd $1
ssh-keygen -q -t ed25519 -N '' -C lab -f id_ed25519
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj '/CN=gpumon lab CA' -keyout ca.key -out ca.crt
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=lab-svc -keyout svc.key -out svc.csr
openssl x509 -req -in svc.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out svc.crt \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$2")
"""


def build(lab: Places) -> None:
    """Makes what is missing."""
    names = ",".join([*(f"DNS:{name}" for name in REGISTRIES), f"IP:{SEATS['svc']}"])
    by = recipe(MAKE, names)
    if not is_made(lab.keys, by):
        with making(lab.keys, by) as folder:
            script(MAKE, folder, names)


def user_key(lab: Places) -> Path:
    """The private key that opens every user of every node."""
    return lab.keys / "id_ed25519"


def host_key(lab: Places, node: str, kind: str) -> Path:
    """A node's private host key; the public one is beside it. Kept, since RSA keys take long to make."""
    key = lab.cache / "hostkeys" / node / f"ssh_host_{kind}_key"
    if not key.with_suffix(".pub").exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        key.unlink(missing_ok=True)
        script("ssh-keygen -q -t $1 -N '' -C root@$2 -f $3", kind, node, key)
    return key


def put_host_keys(lab: Places, node: str, folder: Path) -> None:
    """Copies a node's host keys to where its sshd looks."""
    for kind in HOST_KEYS:
        key = host_key(lab, node, kind)
        for file in (key, key.with_suffix(".pub")):
            shutil.copy2(file, folder)


def known_host_lines(lab: Places, node: str, own: str) -> list[str]:
    """What a known_hosts file says of a node."""
    public = [host_key(lab, node, kind).with_suffix(".pub").read_text().split() for kind in HOST_KEYS]
    return [f"{node},{own} {kind} {key}" for kind, key, *_ in public]

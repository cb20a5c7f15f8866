"""What nodes can have installed: each flavor is what it adds to the flavor below it."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "labpw"
"""Opens `admin` and `plain`, and is admin's for sudo."""

USERS = f"""
for user in ops admin plain; do
    useradd -m -s /bin/bash $user
    echo $user:{PASSWORD} | chpasswd
    install -d -m 700 -o $user -g $user /home/$user/.ssh
    echo "$1" >/home/$user/.ssh/authorized_keys
    chown $user:$user /home/$user/.ssh/authorized_keys
done
usermod -aG sudo admin
echo 'ops ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/ops
chmod 440 /etc/sudoers.d/ops
echo "$2" >/usr/local/share/ca-certificates/lab.crt
update-ca-certificates
rm -f /etc/ssh/ssh_host_*
"""
"""Three users: ops may sudo without a password, admin with one, plain not at all."""

UNWANTED_UNITS = r"""
# What a node without a kernel of its own cannot have, or what costs time for nothing.
cd /etc/systemd/system
for unit in sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
    apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service getty.target dpkg-db-backup.timer \
    systemd-networkd.service systemd-resolved.service systemd-timesyncd.service; do
    ln -sf /dev/null $unit
done
"""

SLURM = """
systemctl disable slurmctld slurmd munge
mkdir -p /etc/slurm /var/spool/slurmctld /var/spool/slurmd
chown slurm: /var/spool/slurmctld
echo lab-munge-key-lab-munge-key-lab-munge-key >/etc/munge/munge.key
chown munge: /etc/munge/munge.key
chmod 400 /etc/munge/munge.key
"""

PODMAN = r"""
# Nodes have no pids controller with cgroup v2, and podman asks for it by default.
mkdir -p /etc/containers
printf '[containers]\npids_limit = 0\n' >/etc/containers/containers.conf
systemctl disable podman.socket podman.service podman-restart.service podman-auto-update.timer
"""

FIREWALLD = """
systemctl disable firewalld
"""


@dataclass(frozen=True)
class Flavor:
    """One layer of a node's files."""

    below: str | None
    """The flavor it adds to; None for the first."""
    packages: tuple[str, ...]
    setup: str
    """A script that is run in it, with the users' public key as $1 and the CA's certificate as $2."""


BASE = (
    *("systemd", "systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "sudo", "python3", "iproute2"),
    *("iputils-ping", "curl", "ca-certificates", "procps", "kmod", "iptables", "nftables", "netbase", "ufw", "less"),
)
DOCKER_CLIENT = {"bookworm": (), "bullseye": ()}
"""Suites whose docker.io holds the client; elsewhere it is a package of its own."""


def flavors(suite: str) -> dict[str, Flavor]:
    """All of them, by name, for a Debian release."""
    return {
        "base": Flavor(None, BASE, USERS + UNWANTED_UNITS),
        "docker": Flavor("base", ("docker.io", *DOCKER_CLIENT.get(suite, ("docker-cli",))), ""),
        "podman": Flavor("base", ("podman",), PODMAN),
        "slurm": Flavor("docker", ("slurmctld", "slurmd", "slurm-client", "munge"), SLURM),
        "full": Flavor("slurm", ("podman", "firewalld"), PODMAN + FIREWALLD),
    }


NAMES = tuple(flavors("any"))
HAVE_SLURM = ("slurm", "full")

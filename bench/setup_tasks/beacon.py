"""For pyinfra: one file's content, and one unit that runs and comes back after a reboot."""

from io import StringIO

from pyinfra.operations import files, systemd

files.put(
    name="The file",
    src=StringIO("interval = 15\n"),
    dest="/etc/beacon.conf",
    user="root",
    group="root",
    mode="644",
    _sudo=True,
)
systemd.service(name="The unit", service="beacon.service", running=True, enabled=True, _sudo=True)

"""The Debian package of the Grafana stand-in, laid out as Grafana's own, for machines that run it bare."""

from __future__ import annotations

from pathlib import Path

from lab.images.programs import STANDINS
from lab.images.trees import STANDIN_SOURCES
from lab.shell import script

VERSION = "13.1.4"
CONTROL = f"""\
Package: grafana
Version: {VERSION}
Architecture: all
Maintainer: lab
Depends: adduser, python3, python3-yaml
Description: Stand-in for Grafana
"""
CONFIGURATION_FILES = "/etc/grafana/grafana.ini\n/etc/default/grafana-server\n"
AFTER_INSTALLATION = """\
#!/bin/sh
set -e
adduser --system --group --no-create-home --home /usr/share/grafana --quiet grafana
install -d -m 750 -o grafana -g grafana /var/lib/grafana /var/log/grafana
chown root:grafana /etc/grafana /etc/grafana/grafana.ini /etc/grafana/provisioning
systemctl daemon-reload || true
"""
DEFAULTS = f"""\
GRAFANA_USER=grafana
GRAFANA_GROUP=grafana
LOG_DIR=/var/log/grafana
DATA_DIR=/var/lib/grafana
CONF_DIR=/etc/grafana
CONF_FILE=/etc/grafana/grafana.ini
PLUGINS_DIR=/var/lib/grafana/plugins
PROVISIONING_CFG_DIR=/etc/grafana/provisioning
PID_FILE_DIR=/run/grafana
STANDIN_VERSION={VERSION}
"""
UNIT = r"""[Unit]
Description=Grafana instance
Wants=network-online.target
After=network-online.target

[Service]
EnvironmentFile=/etc/default/grafana-server
User=grafana
Group=grafana
Type=simple
Restart=on-failure
WorkingDirectory=/usr/share/grafana
RuntimeDirectory=grafana
RuntimeDirectoryMode=0750
ExecStart=/usr/share/grafana/bin/grafana server --config=${CONF_FILE} --pidfile=${PID_FILE_DIR}/grafana-server.pid \
    --packaging=deb cfg:default.paths.logs=${LOG_DIR} cfg:default.paths.data=${DATA_DIR} \
    cfg:default.paths.plugins=${PLUGINS_DIR} cfg:default.paths.provisioning=${PROVISIONING_CFG_DIR}

[Install]
WantedBy=multi-user.target
"""
TEXTS = {
    "DEBIAN/control": CONTROL,
    "DEBIAN/conffiles": CONFIGURATION_FILES,
    "DEBIAN/postinst": AFTER_INSTALLATION,
    "etc/default/grafana-server": DEFAULTS,
    "etc/grafana/grafana.ini": "",
    "usr/lib/systemd/system/grafana-server.service": UNIT,
}
FOLDERS = ("etc/grafana/provisioning/datasources", "etc/grafana/provisioning/dashboards")
EXECUTABLE = ("DEBIAN/postinst", "usr/share/grafana/bin/grafana")


def ingredients() -> list[object]:
    """Everything that it is made from, for its recipe."""
    return [TEXTS, FOLDERS, *((STANDIN_SOURCES / name).read_bytes() for name in STANDINS["grafana"].files)]


def build(work: Path, packages: Path) -> None:
    """Makes the package in a folder of packages."""
    contents = {name: text.encode() for name, text in TEXTS.items()}
    for source, target in STANDINS["grafana"].files.items():
        contents[target] = (STANDIN_SOURCES / source).read_bytes()
    contents.pop("run.sh")
    for name, content in contents.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(content)
        (work / name).chmod(0o755 if name in EXECUTABLE else 0o644)
    for folder in FOLDERS:
        (work / folder).mkdir(parents=True, exist_ok=True)
    script("dpkg-deb --root-owner-group -b $1 $2", work, packages / f"grafana_{VERSION}_all.deb")

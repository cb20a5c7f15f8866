"""The seat that has what an installation fetches: DNS, a registry behind real names, Debian packages."""

from __future__ import annotations

from lab import processes
from lab.keys import REGISTRIES
from lab.network import SEATS
from lab.places import Places

ADDRESS = SEATS["svc"]
REGISTRY = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {store}}}
  maintenance: {{readonly: {{enabled: true}}}}
http:
  addr: {address}:443
  secret: lab
  tls: {{certificate: {keys}/svc.crt, key: {keys}/svc.key}}
"""


def start(lab: Places, suite: str) -> None:
    """Starts all three; they run until `down`."""
    svc = lab.namespace("svc")
    configuration = lab.run / "registry.yml"
    configuration.write_text(REGISTRY.format(store=(lab.cache / "registry").resolve(), address=ADDRESS, keys=lab.keys))
    processes.start(lab, "registry", ["docker-registry", "serve", str(configuration)], svc)
    names = [f"--address=/{name}/{ADDRESS}" for name in REGISTRIES]
    alone = ("--no-resolv", "--no-hosts", "--no-daemon", "--user=root", "--pid-file=", "--conf-file=/dev/null")
    here = (f"--listen-address={ADDRESS}", "--bind-interfaces", "--port=53")
    processes.start(lab, "dns", ["dnsmasq", *alone, *here, *names], svc)
    packages = str(lab.suite(suite) / "packages")
    processes.start(lab, "packages", ["busybox", "httpd", "-f", "-p", f"{ADDRESS}:80", "-h", packages], svc)

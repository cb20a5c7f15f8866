"""A page of HTTP as a machine of the cluster gets it: what listens on its loopback is seen, and nothing is opened."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gpumon.text import shown
from gpumon_setup.host import Host

_PYTHON = """
import base64, sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1])
if sys.argv[3]:
    word = b"admin:" + open(sys.argv[3], "rb").read().strip()
    request.add_header("Authorization", "Basic " + base64.b64encode(word).decode())
try:
    page = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=float(sys.argv[2]))
except urllib.error.HTTPError as error:
    page = error
except OSError as error:
    sys.exit(str(error))
sys.stdout.buffer.write(page.read() + b"\\n%d" % page.code)
"""
FETCH = f"""
if command -v curl >/dev/null 2>&1; then
    login() {{ [ -z "$1" ] || printf 'user = "admin:%s"\\n' "$(cat "$1")"; }}
    login "$3" | curl -sS -g -K - --noproxy '*' --max-time "$2" -w '\\n%{{http_code}}' --url "$1"
else
    exec python3 -c '{_PYTHON}' "$@"
fi
"""
"""Its words: the address, seconds, and the file of admin's password or ""."""
_SECONDS = 15


class NotFetched(Exception):
    """No answer came; says why in a few words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A page."""

    status: int
    body: bytes


def fetched(host: Host, url: str, *, password_file: str = "") -> Answer:
    """The page at a URL, asked by a machine; as admin where a file there holds the password.

    Raises:
        NotFetched: nobody answered.
        HostError: the machine cannot be asked.
    """
    argv = ("sh", "-c", FETCH, "sh", url, str(_SECONDS), password_file)
    outcome = host.run(argv, seconds=2.0 * _SECONDS, as_root=bool(password_file))
    body, _, status = outcome.out.rpartition(b"\n")
    if not outcome.is_success or not status.isdigit():
        words = " ".join(outcome.err.decode("utf-8", "replace").split())
        raise NotFetched(shown(re.sub(r"^curl: \(\d+\) ", "", words), 200) or "nothing answers")
    return Answer(int(status), body)

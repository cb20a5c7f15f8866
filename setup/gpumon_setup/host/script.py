"""Scripts for a machine's /bin/sh: nothing runs before all has arrived, every value is quoted in one place."""

from __future__ import annotations

import shlex
from base64 import b64encode
from collections.abc import Mapping, Sequence

from gpumon_setup.host.actions import (
    Action,
    MakeDirectory,
    RemoveDirectory,
    RemoveFile,
    RunCommand,
    SendFile,
    Step,
    WriteFile,
)

FAILED = 97
"""The exit code of a script whose step failed."""
TAKEN = 98
"""The exit code of a script that found another one at work."""
WORK = "/run/gpumon-setup.work"
"""Locked by the script that works on a machine as long as it runs, which is longer than the way there may last."""
PATIENCE_SECONDS = 5.0
"""How long it waits for that lock, which whoever looks at a machine holds for a moment."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"

_ACTIONS = r"""
umask 077
exec 8>>"$WORK" || exit 1
flock -w "$PATIENCE" 8 || { printf '%s taken by %s\n' "$T" "$(head -c 300 "$WORK")"; exit 98; }
printf '%s\n' "$WHO" >"$WORK"
work=$(mktemp -d /tmp/gpumon.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM PIPE
say() { printf '%s %s\n' "$T" "$*"; }
failed() { say failed "$n" "$1"; tail -c 4000 "$work/log"; exit 97; }
try() { "$@" >>"$work/log" 2>&1 8>&- || failed $?; }
refuse() { say failed "$n" 1; printf '%s\n' "$1"; exit 97; }
content() { words=$( { base64 -d >"$work/content"; } 2>&1 ) || refuse "$words"; }
guard() {  # PATH DIGEST: what stands there is what the plan saw
    seen=
    if [ -e "$1" ]; then seen=$(sha256sum <"$1"); seen=${seen%% *}; fi
    [ "$seen" = "$2" ] || refuse "$1: another hand changed it after the plan was made"
}
keep() {  # PATH COPY: what stands there is copied once
    [ ! -e "$1" ] || [ -e "$2" ] || { try mkdir -p "${2%/*}"; try cp -pL "$1" "$2"; }
}
place() {  # PATH MODE OWNER SOURCE: a content takes its place in one move
    real=$(readlink -f "$1") || refuse "$1: there is no directory for it"
    fresh=$(mktemp "${real%/*}/.gpumon.XXXXXX" 2>&1) || refuse "$fresh"
    words=$( { mv -f "$4" "$fresh" && chown "$3" "$fresh" && chmod "$2" "$fresh" && mv -f "$fresh" "$real"; } 2>&1 ) ||
        { rm -f "$fresh"; refuse "$words"; }
    [ ! -x /sbin/restorecon ] || /sbin/restorecon "$real" >/dev/null 2>&1
}
directory() {  # PATH MODE OWNER; its parents are for everybody, whatever the umask
    ( umask 022; mkdir -p "$1" ) >>"$work/log" 2>&1 || failed $?
    try chown "$3" "$1"; try chmod "$2" "$1"
}
restore() {  # PATH COPY: what stood there before returns
    if [ -e "$2" ]; then try mv -f "$2" "$(readlink -f "$1")"; else try rm -f "$1"; fi
}
: >"$work/log"
"""


def quoted(*words: str) -> str:
    """Words as /bin/sh reads them."""
    return shlex.join(words)


def whole(body: str, *, reads_input: bool = False) -> str:
    """A script that runs once all of it is there; what it starts finds an empty input unless it `reads_input`."""
    source = "" if reads_input else " </dev/null"
    return f"main() {{\nLC_ALL=C PATH={_PATH}:$PATH; export LC_ALL PATH\n{body}\n}}\nmain{source}\nexit $?\n"


def command(argv: Sequence[str], stdin: bytes = b"", *, to: str = "") -> str:
    """The lines of a script that run a command; its output goes where `to` says."""
    if not stdin:
        return f"{quoted(*argv)} </dev/null{to}"
    return f"base64 -d <<'!' | {quoted(*argv)}{to}\n{_coded(stdin)}"


def performing(steps: Sequence[Step], token: str, sent: Mapping[SendFile, str], who: str) -> str:
    """A script that carries out steps and says of each when it is done, in words nobody can forge.

    `sent` tells where the files wait that were sent, and `who` is named to others while it runs.
    """
    lines = [f"T={token} WORK={quoted(WORK)} WHO={quoted(who)} PATIENCE={PATIENCE_SECONDS:g}", _ACTIONS]
    for number, step in enumerate(steps):
        lines.append(f"n={number}")
        lines.extend(_lines(action, sent) for action in step.actions)
        lines.append('say done "$n"')
    return whole("\n".join(lines))


def _lines(action: Action, sent: Mapping[SendFile, str]) -> str:
    """One action as the script's lines."""
    if isinstance(action, WriteFile):
        return _writing(action)
    if isinstance(action, SendFile):
        return _taking_in(action, sent[action])
    if isinstance(action, MakeDirectory):
        return f"directory {_placed(action)}"
    if isinstance(action, RemoveFile):
        return (
            f"restore {quoted(action.path, action.restore)}" if action.restore else f"try rm -f {quoted(action.path)}"
        )
    if isinstance(action, RemoveDirectory):
        path = quoted(action.path)
        return f"try rm -rf {path}" if action.with_content else f"[ ! -d {path} ] || rmdir {path} 2>/dev/null || true"
    return _running(action)


def _writing(action: WriteFile) -> str:
    lines: list[str] = []
    if action.was is not None:
        lines.append(f"guard {quoted(action.path, action.was)}")
    if action.backup:
        lines.append(f"keep {quoted(action.path, action.backup)}")
    lines.append(f"content <<'!'\n{_coded(action.content)}")
    if action.check:
        # The check runs as root, but what it starts may not be: a container's user has to read the new content.
        words = " ".join(map(_with_place, action.check))
        lines.append(f'chmod 755 "$work"; chmod 644 "$work/content"; try {words}; chmod 700 "$work"')
    lines.append(f'place {_placed(action)} "$work/content"')
    return "\n".join(lines)


def _with_place(word: str) -> str:
    """A word of a check, "{}" in it as the new content's path."""
    return '"$work/content"'.join(map(quoted, word.split("{}")))


def _taking_in(action: SendFile, file: str) -> str:
    words = (word.replace("{}", file) for word in action.argv)
    line = f'{quoted(*_timed(action.seconds), *words)} <{quoted(file)} >"$work/log" 2>&1 8>&-'
    return f"{line}\ncode=$?; rm -f {quoted(file)}; [ $code -eq 0 ] || failed $code"


def _running(action: RunCommand) -> str:
    timed = (*_timed(action.seconds), *action.argv)
    codes = "|".join(str(code) for code in action.ok_codes)
    line = command(timed, action.stdin, to=' >"$work/log" 2>&1 8>&-')
    return f"{line}\ncode=$?; case $code in {codes}) ;; *) failed $code ;; esac"


def _timed(seconds: float) -> tuple[str, ...]:
    """What ends the command behind it after its time."""
    return "timeout", "-k", "5", f"{seconds:g}"


def _placed(action: WriteFile | MakeDirectory) -> str:
    """Path, mode and owner."""
    return quoted(action.path, f"{action.mode:o}", action.owner)


def _coded(content: bytes) -> str:
    """A content in a script, up to the line that ends it."""
    return f"{b64encode(content).decode()}\n!"

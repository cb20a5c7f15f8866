# The state of files, units and packages; T, FILES, CONTENTS, UNITS and PACKAGES are set before. No name has a blank.
set -f
section files
for name in $FILES $CONTENTS; do
    if [ -e "$name" ]; then
        stat -L -c 'is %a %U:%G %u:%g %n' -- "$name" 2>/dev/null && [ -f "$name" ] && sha256sum -- "$name" 2>/dev/null
    else
        echo "no $name"
    fi
done
for name in $CONTENTS; do
    [ -f "$name" ] || continue
    section "content $name"
    if [ "$(stat -L -c %s -- "$name")" -le 1048576 ]; then base64 <"$name"; else echo long; fi
done
section units
[ -z "$UNITS" ] || systemctl show --no-pager \
    -p Id,Names,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,FragmentPath $UNITS 2>/dev/null
section packages
if [ -n "$PACKAGES" ]; then
    if command -v dpkg-query >/dev/null 2>&1; then
        for name in $PACKAGES; do
            printf '%s ' "$name"
            dpkg-query -W -f '${Version} ${db:Status-Status}' "$name" 2>/dev/null; echo
        done
    elif command -v rpm >/dev/null 2>&1; then
        for name in $PACKAGES; do
            printf '%s ' "$name"; rpm -q --qf '%{VERSION}-%{RELEASE} installed' "$name" 2>/dev/null | grep installed; echo
        done
    fi
fi

# The state of files, units and packages; T, FILES, CONTENTS, UNITS and PACKAGES are set before. No name has a blank.
set -f
section asked
printf 'file %s\n' $FILES $CONTENTS; printf 'unit %s\n' $UNITS; printf 'package %s\n' $PACKAGES
section files
if [ -n "$FILES$CONTENTS" ]; then
    stat -L -c 'is %a %U:%G %u:%g %n' -- $FILES $CONTENTS 2>/dev/null
    sha256sum -- $FILES $CONTENTS 2>/dev/null
fi
for name in $CONTENTS; do
    [ -f "$name" ] && { section "content $name"; head -c 1048577 -- "$name" | base64; }
done
section units
[ -z "$UNITS" ] || systemctl show --no-pager \
    -p Id,Names,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,FragmentPath $UNITS 2>/dev/null
section packages
if [ -z "$PACKAGES" ]; then :
elif command -v dpkg-query >/dev/null 2>&1; then
    dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' $PACKAGES 2>/dev/null
elif command -v rpm >/dev/null 2>&1; then
    rpm -q --qf '%{NAME} %{VERSION}-%{RELEASE} installed\n' $PACKAGES 2>/dev/null
fi

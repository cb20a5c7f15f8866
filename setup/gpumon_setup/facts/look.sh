# The state of files, units and packages; T, FILES, CONTENTS, UNITS, PACKAGES and OFFERS are set before. No name has a blank.
set -f
section asked
printf 'file %s\n' $FILES $CONTENTS; printf 'unit %s\n' $UNITS; printf 'package %s\n' $PACKAGES; printf 'offer %s\n' $OFFERS
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
if [ -n "$OFFERS" ] && command -v apt-cache >/dev/null 2>&1; then
    has_lists() { [ -n "$(find "$1" -name '*_Packages*' 2>/dev/null | head -n 1)" ]; }
    lists=/var/lib/apt/lists
    if ! has_lists $lists && lists=$(mktemp -d /tmp/gpumon.XXXXXX); then
        # Nobody ever asked the archives; they are asked without leaving anything.
        chmod 755 "$lists"
        timeout 60 apt-get -qq -o Dir::State::Lists="$lists" update >/dev/null 2>&1
    fi
    if has_lists "$lists"; then
        section offers
        apt-cache -o Dir::State::Lists="$lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= policy $OFFERS 2>/dev/null
    fi
    [ "$lists" = /var/lib/apt/lists ] || rm -rf "$lists"
fi

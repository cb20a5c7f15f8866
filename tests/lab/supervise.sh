# Keeps one node in power: a reboot inside ends its processes with SIGHUP, and it is booted again; whatever else ends it,
# power off or a crash, leaves it off.
. "$1"
echo $$ >"$HERE/supervisor"
while :; do
    for group in $GROUPS_TO_JOIN; do find "$group" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null; done
    echo boot >>"$HERE/boots"
    ended=0
    unshare --mount --uts --ipc --pid --net --fork --kill-child sh "$HERE/../stage.sh" "$1" || ended=$?
    echo "The node ended with $ended."
    rm -f "$HERE/pid"
    [ "$ended" = 129 ] || break
done
rm -f "$HERE/supervisor"

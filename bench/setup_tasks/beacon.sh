# Ensures one file's content, and that one unit runs and comes back after a reboot.
set -eu
said=ok
if [ "$(cat /etc/beacon.conf 2>/dev/null)" != "interval = 15" ]; then
    printf 'interval = 15\n' >/etc/.beacon.new
    chmod 644 /etc/.beacon.new
    mv -f /etc/.beacon.new /etc/beacon.conf
    said=changed
fi
if [ "$(systemctl show -p UnitFileState,ActiveState --value beacon | sort | xargs)" != "active enabled" ]; then
    systemctl enable -q --now beacon
    said=changed
fi
echo $said

#!/bin/sh
# Called with "remove" or "upgrade" (.deb), or with 0 or 1 (.rpm). An upgrade
# leaves the engine running; postinst restarts it.
set -e

case $1 in
remove | deconfigure | 0)
	if [ -d /run/systemd/system ]; then
		systemctl stop 'pinion@*.service' || true
	fi
	;;
esac

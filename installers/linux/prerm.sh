#!/bin/sh
# Called with "remove" or "upgrade" (.deb), or with 0 or 1 (.rpm). An upgrade
# leaves the engine running; postinst restarts it. So does the other package of the
# two, pinion and pinion-desktop, when it takes this one's place ("in-favour").
set -e

case $1${2:+ $2} in
"remove in-favour") ;;
remove* | deconfigure* | 0*)
	if [ -d /run/systemd/system ]; then
		systemctl stop 'pinion@*.service' || true
	fi
	;;
esac

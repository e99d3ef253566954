#!/bin/sh
# Called with "configure" (.deb), or with 1 or 2 (.rpm: installed, upgraded).
set -e

case $1 in
configure | 1 | 2)
	# In a container or an image that is being built these limits are not ours to set.
	sysctl -q --system >/dev/null 2>&1 || true
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload || true
		# After an upgrade, those that run go on with the new program.
		systemctl try-restart 'pinion@*.service' || true
	fi
	if [ "$1" = 1 ] || { [ "$1" = configure ] && [ -z "$2" ]; }; then
		if [ -e /usr/share/applications/pinion.desktop ]; then
			echo "Pinion is installed. Open it from the menu of your desktop, or type: pinion"
		else
			echo "Pinion is installed. Start it and get an invitation: sudo pinion-setup (--help: where files go)"
		fi
	fi
	;;
esac

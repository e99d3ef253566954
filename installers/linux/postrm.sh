#!/bin/sh
# Called with "remove", "purge" and others (.deb), or with 0 or 1 (.rpm). Folders,
# archives and keys are a person's: they are never deleted here, and a purge says
# where they are.
set -e

reload() {
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload || true
	fi
}

# Settings that pinion-setup wrote, with the people they are for.
people() {
	for file in /etc/default/pinion-*; do
		[ -f "$file" ] && echo "${file#/etc/default/pinion-}"
	done
	return 0
}

case $1 in
remove | 0)
	reload
	;;
purge)
	# The other package of the two, pinion and pinion-desktop, has taken this one's
	# place, and the settings are its own now.
	[ ! -e /usr/bin/pinion ] || exit 0
	for user in $(people); do
		home=$(getent passwd "$user" | cut -d: -f6)
		echo "Pinion's key and settings of $user stay in ${home:-the home of $user}/.config/pinion, synced folders where they are; delete them yourself if nobody needs them."
		rm -f "/etc/default/pinion-$user" "/etc/systemd/system/multi-user.target.wants/pinion@$user.service"
		rm -f "/etc/systemd/system/pinion@$user.service.d/paths.conf"
		rmdir "/etc/systemd/system/pinion@$user.service.d" 2>/dev/null || true
	done
	reload
	;;
esac

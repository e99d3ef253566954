# The story without systemd, as in a container or an image that is being built:
# install, use, upgrade while an engine runs, remove, install again, purge.
# Needs ROOT (a clean root), V1 and V2 (.deb files).

within_root() { chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }
as_pat() { within_root runuser -u pat -- env -C /home/pat HOME=/home/pat "$@"; }
state() { as_pat pinion status --json; }
synced() { settled "$(state)"; }
# holds_files N: docs is synced with that many files
holds_files() { synced && grep -Eq "\"files\": ?$1[,}]" <<<"$(state)"; }
device() { as_pat pinion id --json | grep -Eo '"id": ?"[^"]*"' | head -n 1; }

evidence() { tail -n 20 "$ROOT/engine.log" 2>/dev/null; }

start_engine() {
	as_pat pinion --daemon --name scratch --listen 127.0.0.1:0 2>"$ROOT/engine.log" &
	engine=$!
	within 30 "$1" as_pat pinion status
}
stop_engine() {
	local pid rc=0
	pid=$(pgrep -f '^pinion --daemon --name scratch' | head -n 1)
	kill -TERM "$pid"
	wait "$engine" || rc=$?
	is "$1" 0 "$rc"
}

# change_over: pinion-desktop takes pinion's place, and gives it back.
change_over() {
	local out before
	before=$(fingerprint "$ROOT/home/pat")
	cp "$DESKTOP" "$ROOT/desktop.deb"
	# This root has no libraries for windows: what counts here are the files.
	out=$(within_root dpkg --force-depends -i /desktop.deb 2>&1) || die "pinion-desktop: $out"
	says "pinion-desktop says what to do next" 'menu of your desktop' "$out"
	is "it has taken the place of pinion" "pinion-desktop" "$(within_root dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 'pinion*' | sed -n 's/^ii  *//p')"
	holds "with its launcher" test -s "$ROOT/usr/share/applications/pinion.desktop"
	holds "and the service's unit" test -s "$ROOT/usr/lib/systemd/system/pinion@.service"
	out=$(within_root dpkg -i /v2.deb 2>&1) || die "back to pinion: $out"
	is "pinion takes its place back" "pinion" "$(within_root dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 'pinion*' | sed -n 's/^ii  *//p')"
	is "and leaves nothing of a desktop" "" "$(find "$ROOT/usr/share/applications" "$ROOT/usr/share/metainfo" "$ROOT/usr/share/icons" -name '*inion*' 2>/dev/null)"
	echo 'PINION_STORE=""' >"$ROOT/etc/default/pinion-pat"
	within_root dpkg -P pinion-desktop >/dev/null 2>&1 || die "purging what is left of pinion-desktop failed"
	holds "purging what is left of the one leaves the settings, which are the other's" test -s "$ROOT/etc/default/pinion-pat"
	is "folder, index and keys are as they were" "$before" "$(fingerprint "$ROOT/home/pat")"
}

scratch() {
	local out first before
	mount -t proc proc "$ROOT/proc"
	# What the packages set for the kernel must not reach this machine.
	mount --bind "$ROOT/proc/sys" "$ROOT/proc/sys"
	mount -o remount,bind,ro "$ROOT/proc/sys"
	within_root useradd -m -s /bin/sh pat
	cp "$V1" "$ROOT/v1.deb" && cp "$V2" "$ROOT/v2.deb"

	out=$(within_root dpkg -i /v1.deb 2>&1) || die "install: $out"
	says "installing says what to do next" 'sudo pinion-setup' "$out"
	says "the installed program runs" '^pinion v0\.0\.1 ' "$(as_pat pinion version)"
	out=$(within_root pinion-setup --user pat 2>&1) && die "pinion-setup claimed to work without systemd"
	says "pinion-setup says that systemd does not run" 'systemd does not run here.*pinion --daemon' "$out"
	out=$(as_pat pinion-setup 2>&1) && die "pinion-setup worked without root"
	says "pinion-setup says that it needs root" 'sudo pinion-setup' "$out"

	as_pat sh -c 'mkdir -p ~/Documents/letters && echo one > ~/Documents/letters/1.txt && echo two > ~/Documents/2.txt && chmod 640 ~/Documents/2.txt'
	start_engine "an unprivileged user's engine answers"
	as_pat pinion folder add /home/pat/Documents --name docs >/dev/null || die "folder add failed"
	within 60 "a folder of two files is in sync" holds_files 2
	first=$(device)

	out=$(within_root dpkg -i /v2.deb 2>&1) || die "upgrade: $out"
	says "the program is the new one" '^pinion v0\.0\.2 ' "$(as_pat pinion version)"
	holds "the old engine went on during the upgrade" state
	stop_engine "it stops cleanly"
	before=$(fingerprint "$ROOT/home/pat")
	start_engine "the new engine starts with the old settings"
	as_pat sh -c 'echo three > ~/Documents/3.txt'
	within 60 "it knows the folder and sees a new file" holds_files 3
	is "it is the same device" "$first" "$(device)"
	stop_engine "it stops cleanly, too"
	[ "$before" != "$(fingerprint "$ROOT/home/pat")" ] || die "the fingerprint does not notice a new file"

	before=$(fingerprint "$ROOT/home/pat")
	out=$(within_root dpkg -r pinion 2>&1) || die "remove: $out"
	is "removing leaves folder, index and keys as they were" "$before" "$(fingerprint "$ROOT/home/pat")"
	is "removing takes the program along" "" "$(find "$ROOT/usr" "$ROOT/etc" -name '*pinion*')"
	within_root dpkg -i /v2.deb >/dev/null 2>&1 || die "installing again failed"
	is "installed again, nothing of them has changed" "$before" "$(fingerprint "$ROOT/home/pat")"
	start_engine "and the engine is back"
	within 60 "with its folder" holds_files 3
	is "as the same device" "$first" "$(device)"
	stop_engine "and stops"

	[ -z "${DESKTOP:-}" ] || change_over

	before=$(fingerprint "$ROOT/home/pat")
	echo 'PINION_STORE=""' >"$ROOT/etc/default/pinion-pat"
	out=$(within_root dpkg -P pinion 2>&1) || die "purge: $out"
	says "purging says where the keys are" '/home/pat/\.config/pinion' "$out"
	is "purging leaves folder, index and keys as they were" "$before" "$(fingerprint "$ROOT/home/pat")"
	holds "the key is there, for its owner alone" test "$(stat -c '%a %U' "$ROOT/home/pat/.config/pinion/device.key")" = "600 $(stat -c %U "$ROOT/home/pat")"
	is "purging leaves nothing else" "" "$(find "$ROOT/usr" "$ROOT/etc" "$ROOT/var" -name '*pinion*')"
	umount "$ROOT/proc/sys" "$ROOT/proc"
}

# The story with systemd as process 1: one command starts the engine as a hardened
# service and prints an invitation; a second device joins; the disk is unplugged and
# comes back; an engine that hangs is restarted; upgrade, removal, purge.
# Needs ROOT (a clean root), V1 and V2 (.deb files).

inside() {
	nsenter -t "$leader" -m -u -i -n -p -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"
}
as_pat() { inside runuser -u pat -- env -C /home/pat HOME=/home/pat "$@"; }
as_lap() { inside runuser -u lap -- env -C /home/lap HOME=/home/lap "$@"; }
state() { as_pat pinion status --json; }
synced() { settled "$(state)"; }
unit() { inside systemctl show -P "$1" pinion@pat.service; }
active() { [ "$(unit ActiveState)" = active ]; }
another_pid() { active && [ "$(unit MainPID)" != "$1" ] && [ "$(unit MainPID)" != 0 ]; }
docs_are() { as_pat pinion status --json | grep -Eq "\"state\": ?\"$1\""; }
# same_docs: both devices hold the same tree, apart from the engines' own directories
same_docs() {
	[ -e "$disk/pinion/docs" ] && diff -r -x .pinion "$ROOT/home/lap/docs" "$disk/pinion/docs"
}
# A disk that can be pulled out: it is bound to its mount point, or it is not.
plug() { inside mount --bind /run/disk /media/usb; }
unplug() { inside umount -l /media/usb; }
bare_is_empty() { [ -z "$(inside find /media/usb -mindepth 1)" ]; }

evidence() {
	inside journalctl --no-pager -q -o cat -n 25 -u pinion@pat.service
	as_pat pinion status
	tail -n 10 "$work/laptop.log"
	as_lap pinion status
}

boot() {
	local pid end=$((SECONDS + 60))
	# A running systemd outside gets told nothing: the container is ours alone.
	systemd-nspawn -q -D "$ROOT" --register=no --keep-unit --private-network --machine="pinion-test-$$" -b \
		</dev/null >"$work/boot.log" 2>&1 &
	nspawn=$!
	leader=''
	while [ $SECONDS -lt $end ] && kill -0 $nspawn 2>/dev/null; do
		for pid in $(pgrep -P $nspawn || true); do
			[ "$(cat /proc/"$pid"/comm 2>/dev/null)" = systemd ] && leader=$pid
		done
		[ -n "$leader" ] && case $(inside systemctl is-system-running 2>/dev/null) in running | degraded) return 0 ;; esac
		sleep 0.5
	done
	kill -KILL $nspawn 2>/dev/null || true
	return 1
}

set_up() {
	local out
	inside dpkg -i /v1.deb >/dev/null 2>&1 || die "install failed"
	out=$(inside pinion-setup --store /media/usb/pinion 2>&1) && die "pinion-setup guessed a user"
	says "without a user it asks for one" 'pinion-setup --user' "$out"
	out=$(inside env SUDO_USER=pat pinion-setup --store /media/usb/pinion 2>&1) && die "pinion-setup took a bare mount point"
	says "without its disk the store is refused" 'no disk is mounted at /media/usb' "$out"
	holds "and nothing is written to the bare mount point" bare_is_empty
	plug
	out=$(inside env SUDO_USER=pat pinion-setup --store /media/usb/pinion --name pi 2>&1) || {
		inside journalctl --no-pager -n 30 -u pinion@pat.service >&2
		die "pinion-setup: $out"
	}
	link=$(grep -Eo 'pinion:[^ ]+' <<<"$out" | head -n 1)
	says "one command starts it and prints the invitation" '^pinion:' "$link"
	is "it runs as pat" pat "$(inside ps -o user= -p "$(unit MainPID)")"
	is "it starts at boot" enabled "$(inside systemctl is-enabled pinion@pat.service)"
	is "the watchdog waits two minutes" 2min "$(unit WatchdogUSec)"
	is "it has not been restarted" 0 "$(unit NRestarts)"
	pid=$(unit MainPID)
	out=$(inside env SUDO_USER=pat pinion-setup 2>&1) || die "pinion-setup again: $out"
	says "a second call prints another invitation" 'pinion:' "$out"
	is "without a restart" "$pid" "$(unit MainPID)"
	holds "and keeps the store" grep -q '^PINION_STORE="/media/usb/pinion"$' "$ROOT/etc/default/pinion-pat"
	engine=$(pid_outside)
	says "it has no capabilities, gains none, and its system calls are filtered" \
		'CapBnd: 0+ NoNewPrivs: 1 Seccomp: 2' "$(awk '/^(CapBnd|NoNewPrivs|Seccomp):/ { printf "%s %s ", $1, $2 }' "/proc/$engine/status")"
	holds "root may write to /usr here" inside touch /usr/probe
	says "the engine's view of it is read-only" 'Read-only file system' "$(nsenter -t "$engine" -m -- touch /usr/probe 2>&1)"
	holds "but not that of the disk" nsenter -t "$engine" -m -- touch /media/usb/pinion/probe
	rm -f "$ROOT/usr/probe" "$disk/pinion/probe"
}

# pid_outside is the service's process, as this side of the container counts.
pid_outside() {
	local p
	for p in $(pgrep -f '^/usr/bin/pinion --daemon'); do
		[ "$(readlink /proc/"$p"/root)" ] && echo "$p" && return 0
	done
}

sync_with_a_laptop() {
	as_lap sh -c 'mkdir -p docs/letters && cd docs && echo one > letters/1.txt && echo two > 2.txt && head -c 3000000 /dev/urandom > big && chmod 750 2.txt'
	as_lap pinion --daemon --name laptop --listen 127.0.0.1:0 2>"$work/laptop.log" &
	laptop=$!
	within 30 "a laptop's engine answers" as_lap pinion status
	as_lap pinion join "$link" --address 127.0.0.1:27464 >"$work/join.log" 2>&1 || die "join: $(cat "$work/join.log")"
	as_lap pinion folder add docs --name docs >/dev/null || die "folder add failed"
	within 90 "the folder stands on the Pi's disk" same_docs
	within 60 "and is in sync" synced
	is "its files are pat's" pat "$(inside stat -c %U /media/usb/pinion/docs/2.txt)"
	is "with the laptop's permissions" 750 "$(inside stat -c %a /media/usb/pinion/docs/2.txt)"
	is "a directory can be entered by a media player" 755 "$(inside stat -c %a /media/usb/pinion)"
}

disk_away() {
	unplug
	within 120 "an unplugged disk is noticed" docs_are missing
	as_lap sh -c 'echo three > docs/3.txt'
	never 5 "nothing is written to the bare mount point" eval '! bare_is_empty'
	inside systemctl restart --no-block pinion@pat.service
	never 15 "nor after a restart without the disk" eval '! bare_is_empty'
	plug
	within 180 "plugged in again, it goes on by itself" same_docs
	within 90 "and is in sync" synced
	holds "nothing was deleted on the laptop" test -f "$ROOT/home/lap/docs/big"
}

hang() {
	mkdir -p "$ROOT/etc/systemd/system/pinion@pat.service.d"
	printf '[Service]\nWatchdogSec=3\nRestartSec=1\n' >"$ROOT/etc/systemd/system/pinion@pat.service.d/test.conf"
	inside systemctl daemon-reload
	inside systemctl restart pinion@pat.service
	pid=$(unit MainPID)
	sleep 7
	is "an engine that answers outlives its watchdog" "$pid" "$(unit MainPID)"
	inside kill -STOP "$pid"
	within 30 "an engine that hangs is restarted" another_pid "$pid"
	rm "$ROOT/etc/systemd/system/pinion@pat.service.d/test.conf"
	inside systemctl daemon-reload
	inside systemctl restart pinion@pat.service
	within 60 "and is in sync again" synced
}

leave() {
	local id before out
	id=$(as_pat pinion id --json)
	pid=$(unit MainPID)
	inside dpkg -i /v2.deb >"$work/upgrade.log" 2>&1 || die "upgrade: $(cat "$work/upgrade.log")"
	within 60 "an upgrade restarts the engine" another_pid "$pid"
	within 30 "which answers" state
	says "with the new program" '"version": ?"v?0\.0\.2"' "$(state)"
	is "as the same device" "$id" "$(as_pat pinion id --json)"
	as_lap sh -c 'echo four > docs/4.txt'
	within 60 "and syncs what is changed" same_docs
	within 60 "until it is in sync" synced

	inside systemctl stop pinion@pat.service
	is "it stops cleanly" success "$(unit Result)"
	before=$(fingerprint "$ROOT/home/pat/.config/pinion" "$disk/pinion")
	inside systemctl start pinion@pat.service
	inside dpkg -r pinion >"$work/remove.log" 2>&1 || die "remove: $(cat "$work/remove.log")"
	holds "removing stops the engine" test -z "$(pid_outside)"
	within 60 "and leaves the folder" same_docs
	inside dpkg -i /v2.deb >/dev/null 2>&1
	inside systemctl start pinion@pat.service
	within 60 "installed again, it goes on" synced
	inside systemctl stop pinion@pat.service
	keys=$(fingerprint "$ROOT/home/pat/.config/pinion/device.key" "$ROOT/home/pat/.config/pinion/config.toml")
	inside systemctl start pinion@pat.service
	out=$(inside dpkg -P pinion 2>&1) || die "purge: $out"
	says "purging says where the keys are" '/home/pat/\.config/pinion' "$out"
	is "purging leaves key and settings" "$keys" "$(fingerprint "$ROOT/home/pat/.config/pinion/device.key" "$ROOT/home/pat/.config/pinion/config.toml")"
	holds "purging leaves the folder" same_docs
	is "purging leaves no service behind" "" "$(find "$ROOT/etc" -name '*pinion*')"
	holds "and no engine" test -z "$(pid_outside)"
}

boot_and_play() {
	if ! command -v systemd-nspawn >/dev/null; then
		skip "there is no systemd-nspawn here"
		return 0
	fi
	cp "$V1" "$ROOT/v1.deb" && cp "$V2" "$ROOT/v2.deb"
	chroot "$ROOT" useradd -m -s /bin/sh pat
	chroot "$ROOT" useradd -m -s /bin/sh lap
	mkdir -p "$ROOT/media/usb"
	# The container has no network but its own loopback; nothing should wait for more.
	ln -sf /dev/null "$ROOT/etc/systemd/system/systemd-networkd-wait-online.service"
	if ! boot; then
		skip "systemd does not boot in a container here: $(tail -n 1 "$work/boot.log")"
		return 0
	fi
	inside mkdir -p /run/disk
	inside mount -t tmpfs -o size=64m,mode=755 usb /run/disk
	inside mount --make-private /run/disk
	# The disk as it is seen from here, plugged in or not.
	disk=/proc/$leader/root/run/disk
	set_up
	sync_with_a_laptop
	disk_away
	hang
	leave
	# Before the container ends: nsenter stops for good when its child is stopped,
	# which is the first thing that a shutdown does.
	inside pkill -TERM -u lap pinion || true
	wait "$laptop" || die "the laptop's engine did not stop cleanly"
	inside systemctl poweroff || true
	within 60 "the container shuts down" eval '! kill -0 $nspawn'
}

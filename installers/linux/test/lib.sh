# Sourced by the stories: what they check with, and the clean root they play in.

checks=0
ok() {
	checks=$((checks + 1))
	printf '  ok    %s\n' "$*"
}
skip() { printf '  skip  %s\n' "$*"; }
# evidence is what a story has to show when it fails.
evidence() { :; }
die() {
	printf '  FAIL  %s\n' "$*" >&2
	evidence >&2
	exit 1
}

# is WHAT WANT GOT
is() { [ "$2" = "$3" ] && ok "$1" || die "$1: want '$2', got '$3'"; }

# holds WHAT COMMAND...: the command succeeds
holds() {
	local what=$1
	shift
	"$@" >/dev/null 2>&1 && ok "$what" || die "$what: $* failed"
}

# says WHAT PATTERN TEXT
says() { grep -Eq -- "$2" <<<"$3" && ok "$1" || die "$1: no '$2' in: $3"; }

# within SECONDS WHAT COMMAND...: the command succeeds before long
within() {
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || die "$what: not in time ($*)"
		sleep 0.3
	done
	ok "$what"
}

# never SECONDS WHAT COMMAND...: the command does not succeed in that time
never() {
	local end=$((SECONDS + $1)) what=$2
	shift 2
	while [ $SECONDS -lt $end ]; do
		! "$@" >/dev/null 2>&1 || die "$what: $* succeeded"
		sleep 0.3
	done
	ok "$what"
}

# fingerprint DIR...: names, kinds, modes, owners and contents of what stands there.
# Sockets and locks are an engine's, not a person's.
fingerprint() {
	(
		find "$@" ! -type s ! -name lock -printf '%p %y %m %U %G\n' | sort
		find "$@" -type f ! -name lock -print0 | sort -z | xargs -0r sha256sum
	) | sha256sum
}

# root_into DIR: unpacks a clean Debian root with systemd; made once and kept in CACHE.
root_into() {
	local codename mirror tar
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	tar=$CACHE/root-$codename-$(dpkg --print-architecture).tar
	if [ ! -f "$tar" ]; then
		mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
			awk -v c="$codename" '$1 == c { print $2; exit }')
		[ -n "$mirror" ] || return 1
		mkdir -p "$CACHE"
		rm -rf "$CACHE/new" "$tar.new"
		debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps \
			"$codename" "$CACHE/new" "$mirror" >"$CACHE/debootstrap.log" 2>&1 || return 1
		rm -rf "$CACHE"/new/var/cache/apt/archives/*.deb "$CACHE/new/etc/machine-id"
		tar -C "$CACHE/new" -cf "$tar.new" . && mv "$tar.new" "$tar"
		rm -rf "$CACHE/new"
	fi
	mkdir -p "$1" && tar -C "$1" -xpf "$tar" --numeric-owner
}

# settled JSON: a status in which every folder is synced, and there is one
settled() {
	grep -Eq '"state": ?"synced"' <<<"$1" && ! grep -Eq '"state": ?"(scanning|syncing|paused|held|missing|error)"' <<<"$1"
}

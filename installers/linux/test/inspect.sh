# inspect DIR: looks into the packages without installing them.

# machine FILE: the processor an ELF file is for
machine() {
	case $(od -An -tx1 -j18 -N1 "$1" | tr -d ' ') in
	3e) echo amd64 ;;
	b7) echo arm64 ;;
	28) echo armhf ;;
	*) echo unknown ;;
	esac
}

inspect_deb() { # inspect_deb FILE TEMP
	local deb=$1 t=$2 arch listing bad
	arch=$(dpkg-deb -f "$deb" Architecture)
	rm -rf "$t" && dpkg-deb -R "$deb" "$t" || die "$deb can't be unpacked"
	is "$(basename "$deb"): the program is for $arch" "$arch" "$(machine "$t/usr/bin/pinion")"
	! grep -aq 'ld-linux' "$t/usr/bin/pinion" || die "$deb: the program is not static"
	ok "$arch: the program is static"
	listing=$(dpkg-deb -c "$deb")
	bad=$(awk '$2 != "root/root" || $1 ~ /^.....w|^........w|s/' <<<"$listing")
	is "$arch: all is root's, nothing writable by others, nothing setuid" "" "$bad"
	bad=$(awk '{ print $1, $6 }' <<<"$listing" | grep -v '/$' | grep -v -E '^-rw-r--r-- |^-rwxr-xr-x \./usr/s?bin/' || true)
	is "$arch: only programs are executable" "" "$bad"
	bad=$(awk '{ print $6 }' <<<"$listing" | grep -v -E '^\./(usr/.*)?$' || true)
	is "$arch: nothing outside /usr" "" "$bad"
	for field in Package Version Maintainer Description Section Installed-Size; do
		[ -n "$(dpkg-deb -f "$deb" $field)" ] || die "$deb has no $field"
	done
	for file in postinst prerm postrm; do
		[ -x "$t/DEBIAN/$file" ] && sh -n "$t/DEBIAN/$file" || die "$deb: $file is no sound script"
	done
	ok "$arch: control fields and maintainer scripts are sound"
	(cd "$t" && md5sum --quiet -c DEBIAN/md5sums) || die "$deb: md5sums do not fit"
	for file in usr/bin/pinion usr/sbin/pinion-setup usr/lib/systemd/system/pinion@.service usr/lib/sysctl.d/60-pinion.conf \
		usr/share/man/man1/pinion.1.gz usr/share/man/man8/pinion-setup.8.gz usr/share/doc/pinion/copyright \
		usr/share/doc/pinion/changelog.Debian.gz usr/share/bash-completion/completions/pinion \
		usr/share/zsh/vendor-completions/_pinion usr/share/fish/vendor_completions.d/pinion.fish; do
		[ -s "$t/$file" ] || die "$deb: $file is missing or empty"
	done
	ok "$arch: program, set-up, unit, sysctl, man pages, completions, copyright and changelog are there"
	bash -n "$t/usr/share/bash-completion/completions/pinion" || die "$deb: the completion for bash is broken"
	zcat "$t/usr/share/man/man1/pinion.1.gz" | grep -q '^\.SS pinion folder add' || die "$deb: the man page lacks commands"
	rm -rf "$t"
}

inspect_rpm() {
	local rpm=$1 list
	rpm -K --nosignature "$rpm" >/dev/null || die "$rpm: its checksums do not fit"
	list=$(rpm -qlvp "$rpm")
	for file in /usr/bin/pinion /usr/sbin/pinion-setup /usr/lib/systemd/system/pinion@.service /usr/lib/sysctl.d/60-pinion.conf \
		/usr/share/man/man1/pinion.1.gz /usr/share/zsh/site-functions/_pinion /usr/share/licenses/pinion/LICENSE; do
		grep -q " $file\$" <<<"$list" || die "$rpm: $file is missing"
	done
	is "$(basename "$rpm"): all is root's" "" "$(awk '$3 != "root" || $4 != "root"' <<<"$list")"
	is "$(basename "$rpm"): has its three scripts" 3 "$(rpm -qp --scripts "$rpm" | grep -c 'scriptlet (using /bin/sh)')"
}

inspect() { # inspect DIR TEMP
	local f
	for f in "$1"/*.deb; do
		[ -e "$f" ] && inspect_deb "$f" "$2"
	done
	for f in "$1"/*.rpm; do
		[ -e "$f" ] || continue
		if command -v rpm >/dev/null; then
			inspect_rpm "$f"
		else
			skip "$(basename "$f"): there is no rpm program here to look into it"
		fi
	done
}

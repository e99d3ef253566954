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
	local deb=$1 t=$2 arch name listing bad
	arch=$(dpkg-deb -f "$deb" Architecture)
	name=$(dpkg-deb -f "$deb" Package)
	rm -rf "$t" && dpkg-deb -R "$deb" "$t" || die "$deb can't be unpacked"
	is "$(basename "$deb"): the program is for $arch" "$arch" "$(machine "$t/usr/bin/pinion")"
	if [ "$name" = pinion-desktop ]; then
		inspect_desktop "$deb" "$t"
	else
		! grep -aq 'ld-linux' "$t/usr/bin/pinion" || die "$deb: the program is not static"
		ok "$arch: the program is static"
	fi
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
		usr/share/man/man1/pinion.1.gz usr/share/man/man8/pinion-setup.8.gz "usr/share/doc/$name/copyright" \
		"usr/share/doc/$name/changelog.Debian.gz" usr/share/bash-completion/completions/pinion \
		usr/share/zsh/vendor-completions/_pinion usr/share/fish/vendor_completions.d/pinion.fish; do
		[ -s "$t/$file" ] || die "$deb: $file is missing or empty"
	done
	ok "$arch: program, set-up, unit, sysctl, man pages, completions, copyright and changelog are there"
	bash -n "$t/usr/share/bash-completion/completions/pinion" || die "$deb: the completion for bash is broken"
	zcat "$t/usr/share/man/man1/pinion.1.gz" | grep -q '^\.SS pinion folder add' || die "$deb: the man page lacks commands"
	rm -rf "$t"
}

# inspect_desktop DEB DIR: what the package with the tray app has beside.
inspect_desktop() {
	local deb=$1 t=$2 depends libs lib glibc want file
	depends=$(dpkg-deb -f "$deb" Depends)
	if command -v readelf >/dev/null; then
		libs=$(readelf -d "$t/usr/bin/pinion" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
		for lib in $libs; do
			case $lib in
			libc.so.6 | libm.so.6 | libpthread.so.0 | libdl.so.2 | ld-linux*) want=libc6 ;;
			libGL.so.1) want=libgl1 ;;
			libwayland-client.so.0) want=libwayland-client0 ;;
			libX11.so.6) want=libx11-6 ;;
			*) die "$deb: the program is linked with $lib, and no package is named for it" ;;
			esac
			grep -Eq "(^|, )$want( |,|\$)" <<<"$depends" || die "$deb: $want is not among $depends"
		done
		glibc=$(readelf -V "$t/usr/bin/pinion" | grep -Eo 'GLIBC_[0-9.]+' | sed 's/GLIBC_//' | sort -Vu | tail -n 1)
		want=$(sed -n 's/.*libc6 (>= \([0-9.]*\)).*/\1/p' <<<"$depends")
		dpkg --compare-versions "$glibc" le "$want" || die "$deb: the program needs glibc $glibc, and the package asks for $want"
		ok "desktop: what the program is linked with ($(echo $libs), glibc $glibc) is asked for"
	else
		skip "there is no readelf here to see what the desktop program is linked with"
	fi
	says "desktop: it takes the place of pinion" '^pinion$' "$(dpkg-deb -f "$deb" Conflicts)"
	says "desktop: it is pinion to others" '^pinion \(= ' "$(dpkg-deb -f "$deb" Provides)"
	for file in applications/pinion.desktop metainfo/app.pinion.Pinion.metainfo.xml icons/hicolor/scalable/apps/pinion.svg \
		icons/hicolor/48x48/apps/pinion.png icons/hicolor/128x128/apps/pinion.png icons/hicolor/256x256/apps/pinion.png; do
		[ -s "$t/usr/share/$file" ] || die "$deb: $file is missing or empty"
	done
	file=$t/usr/share/applications/pinion.desktop
	says "desktop: invitations open with it" '^MimeType=(.*;)?x-scheme-handler/pinion;' "$(cat "$file")"
	says "desktop: and reach it as one argument" '^Exec=pinion %u$' "$(cat "$file")"
	if command -v desktop-file-validate >/dev/null; then
		is "desktop: desktop-file-validate has nothing against it" "" "$(desktop-file-validate "$file")"
	fi
	if command -v appstreamcli >/dev/null; then
		holds "desktop: appstreamcli has nothing against its description" appstreamcli validate --no-net "$t/usr/share/metainfo/app.pinion.Pinion.metainfo.xml"
	fi
}

inspect_rpm() {
	local rpm=$1 list
	rpm -K --nosignature "$rpm" >/dev/null || die "$rpm: its checksums do not fit"
	list=$(rpm -qlvp "$rpm")
	for file in /usr/bin/pinion /usr/sbin/pinion-setup /usr/lib/systemd/system/pinion@.service /usr/lib/sysctl.d/60-pinion.conf \
		/usr/share/man/man1/pinion.1.gz /usr/share/zsh/site-functions/_pinion "/usr/share/licenses/$(rpm -qp --qf '%{NAME}' "$rpm")/LICENSE"; do
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

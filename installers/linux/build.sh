#!/usr/bin/env bash
# build.sh VERSION OUT [ARCH...]: the Linux packages into OUT. VERSION is as git
# describes it; ARCH is amd64, arm64, armhf or desktop (all of them unless named):
# pinion for a processor, or pinion-desktop for this machine's, which needs a C
# compiler and headers and is left out, with the reason, where they are not. The
# binaries are built here; the man page and completions are made by one of this
# machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

described=$1 out=$2
shift 2
arches=("$@")
[ ${#arches[@]} -gt 0 ] || arches=(amd64 arm64 armhf desktop)

# package_version makes 1.2.3 of v1.2.3, 1.2.3+4.gabc of v1.2.3-4-gabc, and a
# version below all others of a bare commit.
package_version() {
	local v=${1#v}
	case $v in
	[0-9]*.[0-9]*) echo "$v" | sed 's/-/+/; s/-/./g' ;;
	*) echo "0.0.0+git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d.%H%M%S).${v//-/.}" ;;
	esac
}

export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export CGO_ENABLED=0 RELEASE=1
VERSION=$(package_version "$described")
STAGE=$out/stage
export VERSION STAGE ARCH
mkdir -p "$STAGE"

build() { # build FILE [NAME=VALUE...]: the program
	local to=$1
	shift
	env "$@" go build -trimpath -ldflags "-s -w -X main.version=$described" -o "$to" ./app
}

build "$STAGE/own" GOOS= GOARCH= GOARM=
"$STAGE/own" man "$STAGE" >/dev/null
for shell in bash zsh fish; do
	"$STAGE/own" completion "$shell" >"$STAGE/pinion.$shell"
done
gzip -9nf "$STAGE/pinion.1"
gzip -9nc installers/linux/pinion-setup.8 >"$STAGE/pinion-setup.8.gz"
if [ -f CHANGELOG.md ]; then
	gzip -9nc CHANGELOG.md >"$STAGE/changelog.gz"
else
	echo "pinion $VERSION" | gzip -9n >"$STAGE/changelog.gz"
fi
changelog() { # changelog PACKAGE FILE
	gzip -9n >"$STAGE/$2" <<TEXT
$1 ($VERSION-$RELEASE) stable; urgency=medium

  * What has changed is told in changelog.gz.

 -- The Pinion authors <pinion@localhost>  $(date -uR -d "@$SOURCE_DATE_EPOCH")
TEXT
}
changelog pinion changelog.Debian.gz
changelog pinion-desktop changelog-desktop.Debian.gz

nfpm() { # nfpm ARCH FORMAT [CONFIG]
	ARCH=$1 go tool -modfile=installers/tools/go.mod nfpm package \
		--config "installers/linux/${3:-nfpm.yaml}" --packager "$2" --target "$out/" >/dev/null
}

# lacks says what the desktop program can't be built without; nothing, if all is here.
lacks() {
	local header
	command -v gcc >/dev/null || { echo "a C compiler (gcc)" && return; }
	command -v pkg-config >/dev/null || { echo pkg-config && return; }
	for header in stdlib.h GL/gl.h X11/Xlib.h X11/Xcursor/Xcursor.h X11/extensions/XInput2.h X11/extensions/Xinerama.h \
		X11/extensions/Xrandr.h X11/extensions/xf86vmode.h wayland-client.h xkbcommon/xkbcommon.h; do
		echo "#include <$header>" | gcc -E -x c - >/dev/null 2>&1 || { echo "$header" && return; }
	done
}

desktop() {
	local arch lack
	arch=$(go env GOHOSTARCH)
	case $(go env GOHOSTOS)/$arch in
	linux/amd64 | linux/arm64) lack=$(lacks) ;;
	*) lack="a Linux machine of amd64 or arm64" ;;
	esac
	if [ -n "$lack" ]; then
		echo "skipped: pinion-desktop, since its program is built against this machine's libraries, and what is lacking is $lack"
		return
	fi
	CGO_ENABLED=1 go build -trimpath -tags desktop -ldflags "-s -w -X main.version=$described" -o "$STAGE/pinion" ./app
	nfpm "$arch" deb nfpm-desktop.yaml && nfpm "$arch" rpm nfpm-desktop.yaml
}

for arch in "${arches[@]}"; do
	case $arch in
	amd64) build "$STAGE/pinion" GOOS=linux GOARCH=amd64 && nfpm amd64 deb && nfpm amd64 rpm ;;
	arm64) build "$STAGE/pinion" GOOS=linux GOARCH=arm64 && nfpm arm64 deb && nfpm arm64 rpm ;;
	# The first Pi and the Zero are armv6, which Raspberry Pi OS calls armhf too.
	armhf) build "$STAGE/pinion" GOOS=linux GOARCH=arm GOARM=6 && nfpm arm6 deb ;;
	desktop) desktop ;;
	*) echo "build.sh: no packages for $arch" >&2 && exit 2 ;;
	esac
done
rm -rf "$STAGE"
(cd "$out" && ls -1 ./*"$VERSION"* | xargs du -h --apparent-size)

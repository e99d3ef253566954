#!/usr/bin/env bash
# build.sh VERSION OUT [ARCH...]: the Linux packages into OUT. VERSION is as git
# describes it; ARCH is amd64, arm64 or armhf (all of them unless named). The
# binaries are built here, each for its processor; the man page and completions are
# made by a binary of this machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

described=$1 out=$2
shift 2
arches=("$@")
[ ${#arches[@]} -gt 0 ] || arches=(amd64 arm64 armhf)

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
gzip -9n >"$STAGE/changelog.Debian.gz" <<TEXT
pinion ($VERSION-$RELEASE) stable; urgency=medium

  * What has changed is told in changelog.gz.

 -- The Pinion authors <pinion@localhost>  $(date -uR -d "@$SOURCE_DATE_EPOCH")
TEXT

nfpm() { # nfpm ARCH FORMAT
	ARCH=$1 go tool -modfile=installers/tools/go.mod nfpm package \
		--config installers/linux/nfpm.yaml --packager "$2" --target "$out/" >/dev/null
}

for arch in "${arches[@]}"; do
	case $arch in
	amd64) build "$STAGE/pinion" GOOS=linux GOARCH=amd64 && nfpm amd64 deb && nfpm amd64 rpm ;;
	arm64) build "$STAGE/pinion" GOOS=linux GOARCH=arm64 && nfpm arm64 deb && nfpm arm64 rpm ;;
	# The first Pi and the Zero are armv6, which Raspberry Pi OS calls armhf too.
	armhf) build "$STAGE/pinion" GOOS=linux GOARCH=arm GOARM=6 && nfpm arm6 deb ;;
	*) echo "build.sh: no packages for $arch" >&2 && exit 2 ;;
	esac
done
rm -rf "$STAGE"
(cd "$out" && ls -1 ./*"$VERSION"* | xargs du -h --apparent-size)

#!/usr/bin/env bash
# build.sh VERSION PROGRAM OUT: the bundle OUT/Pinion.app round a program that was
# built for macOS (with cgo and the tag desktop, which needs a Mac). It is not signed.
set -euo pipefail
version=$1 program=$2 out=$3
icons=$(cd "$(dirname "$0")/../icons" && pwd)
contents=$out/Pinion.app/Contents
rm -rf "$out/Pinion.app"
mkdir -p "$contents/MacOS" "$contents/Resources"
cp "$program" "$contents/MacOS/pinion"
chmod 755 "$contents/MacOS/pinion"
printf 'APPL????' >"$contents/PkgInfo"

# An .icns is a heading and PNGs, each after four letters for its size and four bytes
# for its length.
u32() { printf "\\x$(printf %02x $(($1 >> 24 & 255)))\\x$(printf %02x $(($1 >> 16 & 255)))\\x$(printf %02x $(($1 >> 8 & 255)))\\x$(printf %02x $(($1 & 255)))"; }
size() { wc -c <"$1" | tr -d ' '; }
pictures=(icp4=16 icp5=32 ic07=128 ic08=256 ic09=512)
total=8
for p in "${pictures[@]}"; do total=$((total + 8 + $(size "$icons/pinion-${p#*=}.png"))); done
{
	printf icns
	u32 "$total"
	for p in "${pictures[@]}"; do
		printf '%s' "${p%=*}"
		u32 $((8 + $(size "$icons/pinion-${p#*=}.png")))
		cat "$icons/pinion-${p#*=}.png"
	done
} >"$contents/Resources/pinion.icns"

number=$(printf '%s' "${version#v}" | grep -Eo '^[0-9]+(\.[0-9]+){0,2}' || echo 0)
# LSUIElement: it lives in the menu bar and has no place in the Dock.
cat >"$contents/Info.plist" <<END
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>CFBundleDevelopmentRegion</key><string>en</string>
	<key>CFBundleExecutable</key><string>pinion</string>
	<key>CFBundleIconFile</key><string>pinion.icns</string>
	<key>CFBundleIdentifier</key><string>app.pinion.desktop</string>
	<key>CFBundleInfoDictionaryVersion</key><string>6.0</string>
	<key>CFBundleName</key><string>Pinion</string>
	<key>CFBundleDisplayName</key><string>Pinion</string>
	<key>CFBundlePackageType</key><string>APPL</string>
	<key>CFBundleShortVersionString</key><string>$number</string>
	<key>CFBundleVersion</key><string>$number</string>
	<key>CFBundleURLTypes</key>
	<array>
		<dict>
			<key>CFBundleURLName</key><string>Pinion invitation</string>
			<key>CFBundleURLSchemes</key><array><string>pinion</string></array>
		</dict>
	</array>
	<key>LSApplicationCategoryType</key><string>public.app-category.utilities</string>
	<key>LSMinimumSystemVersion</key><string>12.0</string>
	<key>LSUIElement</key><true/>
	<key>NSHighResolutionCapable</key><true/>
	<key>NSSupportsAutomaticGraphicsSwitching</key><true/>
</dict>
</plist>
END
echo "$out/Pinion.app"

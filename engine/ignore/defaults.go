package ignore

import "strings"

// defaults come before a person's rules, which may take each of them back.
const defaults = "# systems leave these\n" + junk + `
# directories of other programs, at the root of a disk or a share
.Trash-*/
.Trashes/
.Spotlight-V100/
.fseventsd/
.TemporaryItems/
.DocumentRevisions-V100/
$RECYCLE.BIN/
System Volume Information/
lost+found/
.stfolder
.stversions/
.syncthing.*.tmp
.~lock.*#
# what editors have open
*~
.*.sw?
*.swp
*.swo
4913
.#*
\#*#
.goutputstream-*
~$*
.~*.tmp
# what is not there yet
*.part
*.partial
*.crdownload
*.!ut
.fuse_hidden*
.nfs[0-9a-f]*
`

// junk are names that systems leave in any directory that somebody looked at.
const junk = `.DS_Store
._*
.AppleDouble/
Thumbs.db
thumbs.db
ehthumbs.db
desktop.ini
Desktop.ini
` + "Icon\r"

// Junk says whether a file name is only what a system leaves behind in a
// directory, so that a deleted directory in which nothing else is left can go,
// too. What an editor or a download left is not junk: a person may want it.
func Junk(path string) bool {
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch name {
	case ".DS_Store", ".AppleDouble", "Thumbs.db", "thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.ini", "Icon\r":
		return true
	}
	return strings.HasPrefix(name, "._")
}

// Package opener opens files and web addresses with the program that the person's
// desktop has for them, and shows files in the file manager.
//
// Names of files come from other devices. No shell ever reads one: programs are
// started with arguments, and every path is absolute, so that none looks like an
// option. What would be run rather than shown (programs, scripts that may be run,
// .desktop files, shortcuts, installers, bundles) is not opened: its folder is
// shown, and Withheld says so. Whether a file is one is read from its name, from
// the name that a link leads to, and on Unix from its rights and its first bytes.
//
// Linux, BSD: org.freedesktop.FileManager1 shows a file, or else its folder is
// opened; xdg-open or gio opens. Windows: explorer /select, and ShellExecute.
// macOS: open -R, and open. Nothing waits for what was opened to be closed.
package opener

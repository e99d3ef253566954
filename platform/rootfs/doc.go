// Package rootfs is the confined handle to a folder: every file operation of
// Pinion below a folder's root goes through a Root.
//
// Paths are "/"-separated, relative to the root, without empty, "." or ".."
// components; "" and "." name the root itself. No operation follows a symlink
// or enters another mount in any component, and the last component is always
// taken as what it is: a symlink is a symlink. What would leave the root fails
// with ErrEscapes. Files are opened only when they are regular files, so that
// no call blocks on a FIFO or wakes a device.
//
// Linux: the parent directory of each path is resolved anew in each call by
// openat2 (BENEATH, NO_SYMLINKS, NO_XDEV, NO_MAGICLINKS) and the *at calls work
// on that descriptor, so there is no moment in which a swapped directory could
// lead outside. Where openat2 is missing (kernels before 5.6, some sandboxes)
// the path is walked component by component with O_NOFOLLOW; a mount is then
// known by its device number only, and a bind mount of the same file system is
// not noticed. Directory descriptors are not cached between calls: resolving
// costs a few microseconds, and a cached descriptor follows its directory to
// wherever it was moved. Who works on many names of one directory takes a Dir,
// which only reads. On 32-bit systems times end in 2038; SetMTime refuses later
// ones.
//
// macOS: built on os.Root, with each component checked by lstat and compared
// after opening. Exchange and no-replace are the kernel's (renameatx_np).
// Between the check and the operation somebody could swap a parent for a
// symlink that stays inside the root: the operation then lands at another place
// in the same folder, never outside of it. No leases, no syncfs.
//
// Windows: as macOS, but renames go by full path (MoveFileEx without the
// replace flag), so a swapped parent of a rename could lead outside. There is
// no exchange, no mode bits, no inode numbers, and directories can't be synced.
//
// What a file system can do is probed (Probe), never guessed from its name.
package rootfs

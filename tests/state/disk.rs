//! A disk that is full for as long as a test wants, and a count of what is had written to it.
//!
//! The system's functions that write and sync are replaced in this program. A file is on a full disk when a file called
//! `full` lies beside its folder; as on any full disk, what a file has already can be written anew, and no more.

use std::ffi::{c_int, c_void};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::common::folder::Folder;

const FULL: &str = "full";

static SYNCED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The disk of this folder's folders is full until `has_room`.
pub fn is_full(folder: &Folder) {
    folder.write(FULL, "");
}

pub fn has_room(folder: &Folder) {
    fs::remove_file(folder.path(FULL)).expect("the disk was full");
}

/// How often this file was synced, by this process.
pub fn syncs(path: &Path) -> usize {
    let synced = SYNCED.lock().expect("no panic before");
    synced.iter().filter(|synced| *synced == path).count()
}

fn path_of(fd: c_int) -> PathBuf {
    fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default()
}

/// How much of so many bytes at this place the disk takes.
fn room(fd: c_int, count: usize, at: i64) -> usize {
    let path = path_of(fd);
    let disk = path.parent().and_then(Path::parent);
    if !disk.is_some_and(|disk| disk.join(FULL).exists()) {
        return count;
    }
    let size = fs::metadata(path).map_or(0, |metadata| metadata.size());
    count.min(size.saturating_sub(at as u64) as usize)
}

/// Takes the place of the system's in this program.
///
/// # Safety
///
/// As the system's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(fd: c_int, bytes: *const c_void, count: usize, at: i64) -> isize {
    let room = room(fd, count, at);
    if room == 0 && count > 0 {
        // SAFETY: each thread has one.
        unsafe { *libc::__errno_location() = libc::ENOSPC };
        return -1;
    }
    // SAFETY: promised by the caller; it is no more than the caller has.
    unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, room, at) as isize }
}

/// The same under its other name.
///
/// # Safety
///
/// As the system's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(fd: c_int, bytes: *const c_void, count: usize, at: i64) -> isize {
    // SAFETY: promised by the caller.
    unsafe { pwrite64(fd, bytes, count, at) }
}

/// Takes the place of the system's in this program.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(fd: c_int) -> c_int {
    SYNCED.lock().expect("no panic before").push(path_of(fd));
    // SAFETY: a number is all that it takes.
    unsafe { libc::syscall(libc::SYS_fdatasync, fd) as c_int }
}

/// Takes the place of the system's in this program.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(fd: c_int) -> c_int {
    SYNCED.lock().expect("no panic before").push(path_of(fd));
    // SAFETY: a number is all that it takes.
    unsafe { libc::syscall(libc::SYS_fsync, fd) as c_int }
}

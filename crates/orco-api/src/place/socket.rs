//! Where the control socket is.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use orco_core::model::StackId;

/// The longest path a Unix socket can have: `sun_path` without its final zero byte.
pub const SOCKET_PATH_MAX: usize = 107;

/// `STATE_DIR/control.sock`; where that is too long, `TMP/orco-UID/ID.sock`. The second folder is shared
/// ground: whoever uses it checks its owner and mode first.
pub fn socket_path(state_dir: &Path, id: StackId) -> PathBuf {
    let temp = std::env::temp_dir();
    let uid = nix::unistd::geteuid().as_raw();
    let near = state_dir.join("control.sock");
    if fits(&near) {
        return near;
    }
    let short = temp.join(format!("orco-{uid}")).join(format!("{id}.sock"));
    // A temporary folder with a very long name of its own is not a way out either.
    if fits(&short) { short } else { PathBuf::from(format!("/tmp/orco-{uid}/{id}.sock")) }
}

fn fits(path: &Path) -> bool {
    path.as_os_str().as_bytes().len() <= SOCKET_PATH_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_long_goes_to_the_temporary_folder() {
        let id = StackId::from_bits(1);
        let edge = format!("/{}", "d".repeat(SOCKET_PATH_MAX - "/control.sock".len() - 1));
        assert_eq!(socket_path(Path::new(&edge), id), Path::new(&edge).join("control.sock"));
        let over = format!("{edge}d");
        let path = socket_path(Path::new(&over), id);
        assert!(path.ends_with("000000000001.sock"), "{path:?}");
        assert!(fits(&path));
    }
}

//! What the operating system may keep of this process.

/// Keeps values out of core dumps, and other processes of the same user out of this one's memory and variables.
///
/// The limit alone would not do: a kernel that hands dumps to a program, as with systemd, ignores it. What cannot be set
/// is left as it is: neither is a reason not to work.
pub(crate) fn harden() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).unwrap_or_default();
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn nothing_is_left_to_dump() {
        super::harden();
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
        #[cfg(target_os = "linux")]
        assert_eq!(
            rustix::process::dumpable_behavior().unwrap(),
            rustix::process::DumpableBehavior::NotDumpable
        );
    }
}

//! libFuzzer's way to [`seed_fuzz::text`]. Without libFuzzer it tries the files that it is given.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| seed_fuzz::text(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        seed_fuzz::text(&std::fs::read(path)?);
    }
    Ok(())
}

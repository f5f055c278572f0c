//! Writes the made pages of `docs/reference`: what `make docs` runs.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut stderr = std::io::stderr().lock();
    let told = match seed_tests::reference::write() {
        Ok(changed) => {
            let lines = changed
                .iter()
                .map(|path| format!("{} written\n", path.display()));
            stderr
                .write_all(lines.collect::<String>().as_bytes())
                .map(|()| ExitCode::SUCCESS)
        }
        Err(reason) => writeln!(stderr, "error: {reason}").map(|()| ExitCode::FAILURE),
    };
    told.unwrap_or(ExitCode::FAILURE)
}

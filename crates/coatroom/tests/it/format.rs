//! The record format, read by another language.

use std::process::Command;

#[test]
fn a_python_reader_of_sixty_lines_reads_every_vector_as_documented() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/check_vectors.py");
    let output = match Command::new("python3").arg(script).output() {
        Ok(output) => output,
        Err(error) => return eprintln!("skipped: python3 does not run here: {error}"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

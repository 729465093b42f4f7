//! `--fix`, `--unsafe-fixes` and `--diff`.

use insta::assert_snapshot;

use super::sandbox::{CLEAN, Sandbox, UNUSED, program};

#[test]
fn safe_fixes_are_applied() {
    let sandbox = Sandbox::with(&[("a.py", UNUSED), ("b.py", CLEAN)]);
    let output = sandbox.run(&["check", "--fix"]);
    assert_eq!(output.shown(), "exit code: 0\n--- stdout\nFound 1 finding (1 fixed, 0 remaining).\n");
    assert_eq!(sandbox.read("a.py"), CLEAN);
    assert_eq!(sandbox.run(&["check", "--fix"]).shown(), "exit code: 0\n--- stdout\nAll checks passed!\n");
}

#[test]
fn without_fix_nothing_is_written() {
    let sandbox = Sandbox::with(&[("a.py", UNUSED)]);
    for words in [&["check"][..], &["check", "--unsafe-fixes"], &["check", "--diff"], &["check", "--diff", "--fix"]] {
        assert_eq!(sandbox.run(words).code, 1);
        assert_eq!(sandbox.read("a.py"), UNUSED);
    }
}

#[test]
fn unsafe_fixes_are_applied_on_demand_and_leave_nothing() {
    let sandbox = Sandbox::with(&[("reports.py", &program("reports.py"))]);
    sandbox.run(&["check", "--fix"]);
    assert!(sandbox.read("reports.py").contains("{stock.result()}"), "no safe fix changes the program");
    let output = sandbox.run(&["check", "--fix", "--unsafe-fixes"]);
    assert_snapshot!(format!("{}--- reports.py\n{}", output.shown(), sandbox.read("reports.py")));
    assert_eq!(sandbox.run(&["check"]).code, 0);
}

#[test]
fn a_diff() {
    let sandbox = Sandbox::with(&[("reports.py", &program("reports.py")), ("clean.py", CLEAN)]);
    assert_snapshot!(sandbox.run(&["check", "--diff", "--unsafe-fixes"]).shown());
    let clean = sandbox.run(&["check", "--diff", "clean.py"]);
    assert_eq!(clean.shown(), "exit code: 0\n");
    let only_unsafe = sandbox.run(&["check", "--diff", "--select", "result-before-done"]);
    assert_eq!(
        only_unsafe.shown(),
        "exit code: 0\n--- stderr\nNothing would be fixed (2 additional fixes available with `--unsafe-fixes`).\n"
    );
    assert_eq!(sandbox.run(&["check", "--diff", "--exit-zero"]).code, 0);
}

#[test]
fn a_diff_is_what_patch_takes() {
    let sandbox = Sandbox::with(&[("a.py", "y = 2\r\nx = 1  # aiolint: ignore")]);
    let diff = sandbox.run(&["check", "--diff", "--quiet"]);
    assert_eq!(
        String::from_utf8(diff.bytes).unwrap(),
        "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n y = 2\r\n-x = 1  # aiolint: ignore\n\\ No newline at end of file\n\
         +x = 1\n\\ No newline at end of file\n"
    );
}

#[test]
fn standard_input_is_fixed_to_standard_output() {
    let sandbox = Sandbox::new();
    let output = sandbox.run_with(&["check", "-", "--fix"], UNUSED.as_bytes());
    assert_eq!(
        output.shown(),
        format!("exit code: 0\n--- stdout\n{CLEAN}--- stderr\nFound 1 finding (1 fixed, 0 remaining).\n")
    );
    let clean = sandbox.run_with(&["check", "-", "--fix", "-q"], b"x = 1\r\n");
    assert_eq!(clean.bytes, b"x = 1\r\n");
    // What comes out takes the text's place in an editor: never nothing.
    let unreadable = sandbox.run_with(&["check", "-", "--fix"], b"x = '\xe9'\n");
    assert_eq!((unreadable.code, unreadable.bytes.as_slice()), (2, &b"x = '\xe9'\n"[..]));
    let latin = sandbox.run_with(&["check", "-", "--fix"], b"# coding: latin-1\nx = '\xe9'  # aiolint: ignore\n");
    assert_eq!(latin.bytes, b"# coding: latin-1\nx = '\xe9'\n");
}

#[test]
fn a_file_keeps_its_encoding_and_line_endings() {
    let cases: [(&[u8], &[u8]); 6] = [
        (b"\xef\xbb\xbfx = 1  # aiolint: ignore\r\ny = 2\r\n", b"\xef\xbb\xbfx = 1\r\ny = 2\r\n"),
        (b"# coding: latin-1\nx = '\xe9\x80'  # aiolint: ignore\r", b"# coding: latin-1\nx = '\xe9\x80'\r"),
        (b"# coding: cp1252\nx = '\x80'  # aiolint: ignore", b"# coding: cp1252\nx = '\x80'"),
        (
            b"# coding: shift_jis\nx = '\x93\xfa\\\x8a'  # aiolint: ignore\n",
            b"# coding: shift_jis\nx = '\x93\xfa\\\x8a'  # aiolint: ignore\n",
        ),
        (b"# coding: shift_jis\nx = '\x93\xfa'  # aiolint: ignore\n", b"# coding: shift_jis\nx = '\x93\xfa'\n"),
        (b"x = '\xc3\xa9'  # aiolint: ignore\ry = 2\r", b"x = '\xc3\xa9'\ry = 2\r"),
    ];
    for (before, after) in cases {
        let sandbox = Sandbox::new();
        sandbox.write("a.py", before);
        sandbox.run(&["check", "--fix"]);
        assert_eq!(sandbox.bytes("a.py"), after, "{}", String::from_utf8_lossy(before));
    }
}

#[test]
fn bytes_that_decoding_cannot_give_back_are_not_touched() {
    // Shift JIS has two sequences for `∪`; the second would come back as the first.
    let before = b"# coding: shift_jis\nx = '\x87\x9b'  # aiolint: ignore\n";
    let sandbox = Sandbox::new();
    sandbox.write("a.py", before);
    let output = sandbox.run(&["check", "--fix"]);
    assert_eq!(sandbox.bytes("a.py"), before);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("cannot be written in the file's encoding"), "{}", output.stderr);
    assert!(output.stdout.contains("Unused suppression"), "the finding stays: {}", output.stdout);
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let sandbox = Sandbox::with(&[("real/a.py", UNUSED)]);
    let real = sandbox.path("real/a.py");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o751)).unwrap();
    symlink("real/a.py", sandbox.path("link.py")).unwrap();
    assert_eq!(sandbox.run(&["check", "--fix", "link.py"]).code, 0);
    assert_eq!(sandbox.read("real/a.py"), CLEAN);
    assert!(sandbox.path("link.py").symlink_metadata().unwrap().is_symlink());
    assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o751);
    let names: Vec<_> = std::fs::read_dir(sandbox.path("real")).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing is left behind");
}

#[test]
fn a_read_only_file_is_not_written() {
    let sandbox = Sandbox::with(&[("a.py", UNUSED)]);
    let mut permissions = sandbox.path("a.py").metadata().unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(sandbox.path("a.py"), permissions).unwrap();
    let output = sandbox.run(&["check", "--fix"]);
    assert_eq!(sandbox.read("a.py"), UNUSED);
    assert_eq!(output.stderr, "error: cannot write a.py: it is read-only\n");
    assert_eq!(output.code, 2);
}

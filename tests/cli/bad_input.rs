//! Files that nobody should have written: a message or silence, never a crash, and an end.

use super::sandbox::{Sandbox, UNUSED};

/// Checks a file with this content beside one with a finding, which must be found.
fn check(content: impl AsRef<[u8]>) -> String {
    let sandbox = Sandbox::with(&[("b.py", UNUSED)]);
    sandbox.write("a.py", content);
    let output = sandbox.run(&["check"]);
    assert!(output.stdout.contains("b.py:1:8"), "{}", output.shown());
    assert!(!output.stderr.contains("panicked") && !output.stderr.contains("internal error"), "{}", output.stderr);
    output.stderr
}

#[test]
fn nul_bytes() {
    assert_eq!(check([0; 1000]), "error: cannot read a.py: there is a NUL byte in line 1, which Python refuses\n");
    assert_eq!(check("x\r\ny\n\0"), "error: cannot read a.py: there is a NUL byte in line 3, which Python refuses\n");
}

#[test]
fn nothing() {
    assert_eq!(check(""), "");
    assert_eq!(check("\u{feff}"), "");
    assert_eq!(check("\r"), "");
}

/// The task in it makes the function worth a look, the comment asks for comments.
fn in_a_function(expression: &str) -> String {
    format!(
        "import asyncio\n\nasync def f(x):\n    t = asyncio.create_task(x())\n    y = {expression}  # noqa\n    t.result()\n"
    )
}

#[test]
fn nested_brackets() {
    let deep = 100_000;
    for (open, close) in
        [("(", ")"), ("[", "]"), ("f(", ")"), ("{1: ", "}"), ("not ", ""), ("-", ""), ("x if ", " else y")]
    {
        let (open, close) = (open.repeat(deep), close.repeat(deep));
        assert_eq!(check(format!("x = {open}1{close}\n")), "");
        assert_eq!(check(in_a_function(&format!("{open}t.result(){close}"))), "");
        assert_eq!(check(in_a_function(&format!("{open}t.result()"))), "");
    }
    assert_eq!(check(in_a_function(&format!("t{}", ".result()".repeat(deep)))), "");
    assert_eq!(check(in_a_function(&format!("t{}", " + t.result()".repeat(deep)))), "");
}

#[test]
fn nested_blocks() {
    let blocks: String = (0..1000).map(|depth| format!("{}if x:\n", " ".repeat(depth + 4))).collect();
    let text = in_a_function("1") + &blocks + &" ".repeat(1004) + "t.result()\n";
    assert_eq!(check(text), "");
    let functions: String = (0..1000).map(|depth| format!("{}async def f(t):\n", " ".repeat(depth))).collect();
    assert_eq!(check(functions + &" ".repeat(1000) + "t.result()\n"), "");
}

#[test]
fn fifty_megabytes() {
    assert_eq!(check(format!("x = '{}'\n", "a".repeat(50 << 20))), "", "in one line");
    assert_eq!(check("x = 1\n".repeat((50 << 20) / 6)), "", "in many");
}

#[test]
fn a_folder_with_the_name_of_a_file() {
    let sandbox = Sandbox::with(&[("x.py/a.py", UNUSED)]);
    std::fs::create_dir(sandbox.path("y.py")).unwrap();
    assert_eq!(sandbox.checked(&[]), ["x.py/a.py"]);
    assert_eq!(sandbox.checked(&["x.py"]), ["x.py/a.py"]);
    assert_eq!(sandbox.run(&["check", "y.py"]).code, 0);
}

#[test]
fn a_missing_path() {
    let sandbox = Sandbox::with(&[("b.py", UNUSED)]);
    let output = sandbox.run(&["check", "missing.py", "b.py", "missing/"]);
    assert!(output.stdout.contains("b.py:1:8"));
    let errors: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(errors.len(), 2);
    assert!(errors[0].starts_with("error: cannot read missing: "), "{}", errors[0]);
    assert!(errors[1].starts_with("error: cannot read missing.py: "), "{}", errors[1]);
    assert_eq!(output.code, 2);
}

#[cfg(unix)]
#[test]
fn links_into_nowhere_and_in_circles() {
    use std::os::unix::fs::symlink;
    let sandbox = Sandbox::with(&[("b.py", UNUSED)]);
    symlink("nowhere.py", sandbox.path("broken.py")).unwrap();
    symlink("loop.py", sandbox.path("loop.py")).unwrap();
    symlink(".", sandbox.path("circle")).unwrap();
    let output = sandbox.run(&["check"]);
    assert!(output.stdout.contains("b.py:1:8"));
    let errors: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].starts_with("error: cannot read broken.py: "), "{}", errors[0]);
    assert!(errors[1].starts_with("error: cannot read loop.py: "), "{}", errors[1]);
    assert_eq!(output.code, 2);
}

#[cfg(unix)]
#[test]
fn pipes_and_devices() {
    let sandbox = Sandbox::with(&[("b.py", UNUSED)]);
    let made = std::process::Command::new("mkfifo").arg(sandbox.path("pipe.py")).status();
    assert!(made.unwrap().success());
    assert_eq!(sandbox.checked(&[]), ["b.py"], "nobody writes into the pipe");
    let endless = sandbox.run(&["check", "/dev/zero"]);
    assert_eq!(endless.stderr, "error: cannot read /dev/zero: it is larger than 256 MiB\n");
}

#[cfg(unix)]
#[test]
fn an_unreadable_file() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with(&[("a.py", UNUSED), ("b.py", UNUSED)]);
    std::fs::set_permissions(sandbox.path("a.py"), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(sandbox.path("a.py")).is_ok() {
        // Root reads everything.
        return;
    }
    let output = sandbox.run(&["check"]);
    assert!(output.stdout.contains("b.py:1:8"));
    assert!(output.stderr.starts_with("error: cannot read a.py: "), "{}", output.stderr);
    assert_eq!(output.code, 2);
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("").join(OsStr::from_bytes(b"\xe9.py")), UNUSED).unwrap();
    assert!(sandbox.run(&["check"]).stdout.contains("\u{fffd}.py:1:8"));
    assert_eq!(sandbox.checked(&[]), ["\u{fffd}.py"]);
}

//! Which files are checked, and in which order.

use super::sandbox::{CLEAN, Sandbox, UNUSED};

fn all(names: &[&str]) -> Sandbox {
    Sandbox::with(&names.iter().map(|name| (*name, UNUSED)).collect::<Vec<_>>())
}

#[test]
fn python_files_below_a_folder_in_path_order() {
    let sandbox =
        all(&["b.py", "a/z.py", "a/b/c.pyw", "a.py", ".hidden/x.py", "a/stub.pyi", "readme.md", "script", "x.PY~"]);
    assert_eq!(sandbox.checked(&[]), [".hidden/x.py", "a/b/c.pyw", "a/z.py", "a.py", "b.py"]);
    assert_eq!(sandbox.checked(&["."]), sandbox.checked(&[]));
    assert_eq!(sandbox.checked(&["b.py", "a", "./a/z.py", "a/../a"]), ["a/b/c.pyw", "a/z.py", "b.py"]);
}

#[test]
fn what_is_named_is_checked() {
    let sandbox = all(&["stub.pyi", "script", ".venv/x.py", "ignored.py"]);
    sandbox.write(".gitignore", "ignored.py\n");
    assert_eq!(sandbox.run(&["check"]).code, 0);
    assert_eq!(
        sandbox.checked(&["stub.pyi", "script", ".venv", "ignored.py"]),
        [".venv/x.py", "ignored.py", "script", "stub.pyi"]
    );
}

#[test]
fn folders_of_tools_are_left_out() {
    let sandbox = all(&[
        "src/a.py",
        "venv/a.py",
        "src/.tox/a.py",
        "node_modules/a.py",
        "lib/site-packages/a.py",
        "dist/a.py",
        ".git/a.py",
        "__pycache__/a.py",
        "src/dist.py",
        "build/a.py",
    ]);
    assert_eq!(sandbox.checked(&[]), ["build/a.py", "src/a.py", "src/dist.py"]);
}

#[test]
fn what_git_ignores_is_left_out_with_and_without_git() {
    let sandbox = all(&["a.py", "gen/b.py", "sub/c.py", "sub/d.py"]);
    sandbox.write(".gitignore", "gen/\n");
    sandbox.write("sub/.gitignore", "c.py\n");
    assert_eq!(sandbox.checked(&[]), ["a.py", "sub/d.py"]);
    assert_eq!(sandbox.checked(&["sub"]), ["sub/d.py"]);
    sandbox.write(".git/HEAD", "ref: refs/heads/main\n");
    assert_eq!(sandbox.checked(&[]), ["a.py", "sub/d.py"]);
}

#[test]
fn no_files_at_all() {
    let sandbox = all(&["readme.md"]);
    assert_eq!(
        sandbox.run(&["check"]).shown(),
        "exit code: 0\n--- stdout\nAll checks passed!\n--- stderr\nwarning: no Python files found under the given paths\n"
    );
}

#[test]
fn many_files_come_out_in_the_same_order_every_time() {
    let sandbox = Sandbox::new();
    for index in 0..300 {
        sandbox.write(&format!("{}/{index}.py", index % 7), if index % 3 == 0 { UNUSED } else { CLEAN });
    }
    let first = sandbox.checked(&[]);
    assert_eq!(first.len(), 100);
    assert!(first.is_sorted());
    assert_eq!(first, sandbox.checked(&[]));
}

#[test]
fn a_file_outside_is_shown_with_its_whole_path() {
    let sandbox = all(&["out.py"]);
    std::fs::create_dir(sandbox.path("in")).unwrap();
    let mut command = sandbox.command(&["check", "../out.py"]);
    let output = String::from_utf8(command.current_dir(sandbox.path("in")).output().unwrap().stdout).unwrap();
    assert!(output.contains(sandbox.path("out.py:1:8").to_str().unwrap()), "{output}");
}

#[cfg(unix)]
#[test]
fn links_to_files_are_followed_and_links_to_folders_are_not() {
    use std::os::unix::fs::symlink;
    let sandbox = all(&["real/a.py", "elsewhere/script"]);
    symlink("../elsewhere/script", sandbox.path("real/link.py")).unwrap();
    symlink("../elsewhere", sandbox.path("real/folder.py")).unwrap();
    symlink("..", sandbox.path("real/up")).unwrap();
    assert_eq!(sandbox.checked(&["real"]), ["real/a.py", "real/link.py"]);
}

#[cfg(unix)]
#[test]
fn nothing_in_a_workspace_stops_it() {
    use std::os::unix::fs::symlink;
    let sandbox = all(&["z.py", "folder.py/inner.py"]);
    for index in 0..2000 {
        sandbox.write(&format!("node_modules/{}/{index}.py", index % 50), UNUSED);
    }
    sandbox.write(
        "ring/__init__.py",
        "from ring import load\nfrom . import *\nimport ring\n\n\nasync def main():\n    load()\n",
    );
    sandbox.write("ring/a.py", "from .b import work\n\n\nasync def a():\n    work()\n");
    sandbox.write("ring/b.py", "from .a import a as work\n");
    sandbox.write("pyproject.toml", "[tool.aiolint\n= = =\n");
    symlink(".", sandbox.path("loop")).unwrap();
    symlink("twin", sandbox.path("twin")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(sandbox.path("pipe.py")).status().unwrap().success());
    let output = sandbox.run(&["check", "--output-format", "json"]);
    let findings: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let found: Vec<_> =
        findings.as_array().unwrap().iter().map(|finding| (&finding["filename"], &finding["code"])).collect();
    let found: Vec<String> =
        found.iter().map(|(name, code)| format!("{} {}", name.as_str().unwrap(), code.as_str().unwrap())).collect();
    assert_eq!(
        found,
        [
            "[HERE]/folder.py/inner.py unused-ignore-comment",
            "[HERE]/ring/a.py coroutine-never-awaited",
            "[HERE]/z.py unused-ignore-comment",
        ]
    );
    assert!(output.stderr.contains("pyproject.toml:1:"), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
}

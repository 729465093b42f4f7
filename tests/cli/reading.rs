//! Encodings, as PEP 263 has them.

use super::sandbox::Sandbox;

/// What is said about a file with this content; nothing if it can be read. Each file has a finding, so that it is seen to be read.
fn trouble(content: &[u8]) -> String {
    let sandbox = Sandbox::with(&[("b.py", "x  # aiolint: ignore\n")]);
    sandbox.write("a.py", content);
    let output = sandbox.run(&["check", "--output-format", "json"]);
    let findings: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let found = findings.as_array().unwrap().len();
    assert!(output.stdout.contains("[HERE]/b.py"), "the rest goes on");
    if output.stderr.is_empty() {
        assert_eq!((output.code, found), (1, 2), "{}", String::from_utf8_lossy(content));
    } else {
        assert_eq!((output.code, found), (2, 1));
    }
    output.stderr.trim().trim_start_matches("error: cannot read a.py: ").to_owned()
}

#[test]
fn declared_encodings_are_honoured() {
    let contents: [&[u8]; 19] = [
        b"x = '\xc3\xa9'  # aiolint: ignore",
        b"\xef\xbb\xbfx = '\xc3\xa9'  # aiolint: ignore",
        b"\xef\xbb\xbf# coding: utf-8\nx = '\xc3\xa9'  # aiolint: ignore",
        b"# -*- coding: latin-1 -*-\nx = '\xe9'  # aiolint: ignore",
        b"# -*- coding: iso-8859-1-unix -*-\nx = '\xe9'  # aiolint: ignore",
        b"# vim: set fileencoding=ISO_8859_15 :\nx = '\xe9'  # aiolint: ignore",
        b"#!/usr/bin/python\n# coding=cp1252\nx = '\x80'  # aiolint: ignore",
        b"\n# coding=cp1252\nx = '\x80'  # aiolint: ignore",
        b"#!x\r# coding=cp1252\rx = '\x80'  # aiolint: ignore",
        b"\x0c # encoding: koi8_r\r\nx = '\xc0'  # aiolint: ignore",
        b"# coding: utf-8-unix\nx = '\xc3\xa9'  # aiolint: ignore",
        b"# coding: shift_jis\nx = '\x93\xfa\x96{'  # aiolint: ignore",
        b"# coding: CP932\nx = '\x93\xfa\x96{'  # aiolint: ignore",
        b"# coding: euc_jp\nx = '\xc6\xfc\xcb\xdc'  # aiolint: ignore",
        b"# coding: gb2312\nx = '\xc8\xd5\xb1\xbe'  # aiolint: ignore",
        b"# coding: big5\nx = '\xa4\xe9\xa5\xbb'  # aiolint: ignore",
        b"# coding: iso-2022-jp\nx = '\x1b$BF|K\\\x1b(B'  # aiolint: ignore",
        b"# no coding here, this is not a coding : latin-1 declaration\nx  # aiolint: ignore",
        b"# coding: ascii\nx  # aiolint: ignore",
    ];
    for content in contents {
        assert_eq!(trouble(content), "", "{}", String::from_utf8_lossy(content));
    }
}

#[test]
fn what_cannot_be_decoded_is_named_with_place_and_remedy() {
    assert_eq!(
        trouble(b"x = 1\r\ny = '\xe9'\n"),
        "it is not UTF-8: byte 0xe9 in line 2 at column 6; save it as UTF-8, or declare its encoding in the first line: \
         `# -*- coding: latin-1 -*-`"
    );
    assert_eq!(
        trouble(b"# coding: ascii\n'\xc3\xa9'"),
        "it declares the encoding ASCII, but byte 0xc3 in line 2 at column 2 is none of that"
    );
    assert_eq!(
        trouble(b"# coding: shift_jis\n'\x93"),
        "it declares the encoding Shift_JIS, but byte 0x93 in line 2 at column 2 is none of that"
    );
    assert_eq!(
        trouble(b"# coding: klingon\n"),
        "it declares the encoding `klingon`, which is unknown here; save it as UTF-8"
    );
    assert_eq!(
        trouble(b"# coding: utf-16\n"),
        "it declares the encoding `utf-16`, which is unknown here; save it as UTF-8"
    );
    assert_eq!(trouble(b"\xff\xfex\0"), "it is UTF-16, which Python does not read; save it as UTF-8");
    assert_eq!(
        trouble(b"\xef\xbb\xbf# coding: latin-1\n"),
        "it starts with the byte order mark of UTF-8 and declares the encoding `latin-1`; Python refuses that, too: remove \
         one of them"
    );
    // A declaration in the third line, or after code, is none.
    assert!(trouble(b"#\n#\n# coding: latin-1\n'\xe9'").starts_with("it is not UTF-8: byte 0xe9 in line 4"));
    assert!(trouble(b"x = 1\n# coding: latin-1\n'\xe9'").starts_with("it is not UTF-8"));
}

//! Python source files as bytes and as text: reading, decoding as PEP 263 says, encoding back, replacing on disk.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use encoding_rs::{DecoderResult, Encoding};

/// No file is read beyond this: 256 MiB.
pub const MAX_BYTES: u64 = 256 << 20;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A file's content, decoded, with what it takes to write it back.
#[derive(Debug)]
pub struct Source {
    /// The text, without a byte order mark.
    pub text: String,
    bytes: Vec<u8>,
    codec: Codec,
}

/// How a file's bytes stand for its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Codec {
    Utf8,
    /// UTF-8 after a byte order mark.
    Utf8Bom,
    Ascii,
    /// ISO 8859-1 as Python has it; the web's, and so `encoding_rs`'s, is windows-1252.
    Latin1,
    Other(&'static Encoding),
}

/// Why there is no text.
#[derive(Debug)]
pub enum Problem {
    /// It can't be read.
    Io(io::Error),
    /// It has more than [`MAX_BYTES`].
    TooLarge,
    /// A codec that we, and perhaps Python, do not know.
    UnknownCodec(String),
    /// A codec other than UTF-8 is declared after UTF-8's byte order mark.
    CodecAfterBom(String),
    /// It starts with a byte order mark of UTF-16.
    Utf16,
    /// Some byte can't be decoded.
    Undecodable {
        /// The codec's name.
        codec: &'static str,
        /// The line, from 1.
        line: usize,
        /// The byte in that line, from 1.
        column: usize,
        /// The byte.
        byte: u8,
    },
    /// A NUL byte, in this line, from 1.
    Nul(usize),
}

/// Why a fixed text is not written.
#[derive(Debug)]
pub enum WriteProblem {
    /// The system refuses.
    Io(io::Error),
    /// The file's encoding has no bytes for some character, or decoding was not exact.
    Unencodable,
    /// Somebody else has written to the file since it was read.
    Changed,
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// If it can't be read or decoded.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        Self::decode(read(path).map_err(Problem::Io)?)
    }

    /// Decodes the content of a file.
    ///
    /// # Errors
    /// If it is not text in the encoding that it declares.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, Problem> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Problem::TooLarge);
        }
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Problem::Utf16);
        }
        let declared = declared_codec(&bytes);
        let codec = match (bytes.starts_with(BOM), declared) {
            (false, None) => Codec::Utf8,
            (false, Some(name)) => Codec::named(&name).ok_or(Problem::UnknownCodec(name))?,
            (true, None) => Codec::Utf8Bom,
            (true, Some(name)) if Codec::named(&name) == Some(Codec::Utf8) => Codec::Utf8Bom,
            (true, Some(name)) => return Err(Problem::CodecAfterBom(name)),
        };
        let text = codec.decode(&bytes).map_err(|at| undecodable(&bytes, at, codec))?;
        if let Some(at) = memchr::memchr(0, text.as_bytes()) {
            return Err(Problem::Nul(line_and_column(text.as_bytes(), at).0));
        }
        Ok(Self { text, bytes, codec })
    }

    /// The bytes of another text in this file's encoding.
    ///
    /// # Errors
    /// If the encoding lacks a character, or this file's own text does not come back as its bytes.
    pub fn encode(&self, text: &str) -> Result<Vec<u8>, WriteProblem> {
        // Some encodings have several sequences for one character: then bytes would change that no fix means to change.
        if self.codec.encode(&self.text).as_deref() != Some(&self.bytes) {
            return Err(WriteProblem::Unencodable);
        }
        self.codec.encode(text).ok_or(WriteProblem::Unencodable)
    }

    /// Replaces the file's content by `text`, at once: nobody sees half of it, and after a failure the old one stands there.
    /// Its permissions stay, and a link to it stays a link.
    ///
    /// # Errors
    /// If it can't be written; then the file is as it was.
    pub fn replace(&self, path: &Path, text: &str) -> Result<(), WriteProblem> {
        let new = self.encode(text)?;
        let write = || -> io::Result<bool> {
            let target = fs::canonicalize(path)?;
            let metadata = fs::metadata(&target)?;
            if metadata.permissions().readonly() {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
            }
            let folder = target.parent().unwrap_or(Path::new("/"));
            let mut file = tempfile::Builder::new().prefix(".aiolint-").tempfile_in(folder)?;
            file.write_all(&new)?;
            file.as_file().set_permissions(metadata.permissions())?;
            file.as_file().sync_all()?;
            let unchanged = read(&target)? == self.bytes;
            if unchanged {
                file.persist(&target)?;
            }
            Ok(unchanged)
        };
        match write() {
            Ok(true) => Ok(()),
            Ok(false) => Err(WriteProblem::Changed),
            Err(error) => Err(WriteProblem::Io(error)),
        }
    }
}

/// At most one byte more than may be: devices never end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path)?;
    if let Ok(metadata) = file.metadata() {
        bytes.reserve_exact(metadata.len().min(MAX_BYTES) as usize + 1);
    }
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Standard input, like a file.
///
/// # Errors
/// If it can't be read.
pub fn read_stdin() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Codec {
    /// The codec of this name: Python's names and their spellings, as far as `encoding_rs` knows the encoding.
    fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let label = match name.as_str() {
            "utf-8" | "utf8" | "u8" | "utf" | "cp65001" => return Some(Self::Utf8),
            "utf-8-sig" => return Some(Self::Utf8Bom),
            "ascii" | "us-ascii" | "646" => return Some(Self::Ascii),
            "latin-1" | "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "iso-latin-1" | "8859" | "cp819" => {
                return Some(Self::Latin1);
            }
            // As the tokenizer does, for Emacs's `utf-8-unix` and its kind.
            _ if name.starts_with("utf-8-") => return Some(Self::Utf8),
            _ if ["latin-1-", "iso-8859-1-", "iso-latin-1-"].iter().any(|start| name.starts_with(start)) => {
                return Some(Self::Latin1);
            }
            "cp932" | "ms-kanji" | "mskanji" | "shiftjis" | "s-jis" => "shift_jis",
            "cp936" | "936" => "gbk",
            "cp949" | "uhc" | "euckr" => "euc-kr",
            "cp950" => "big5",
            "eucjp" | "ujis" => "euc-jp",
            "iso2022-jp" => "iso-2022-jp",
            "mac-roman" | "macroman" => "macintosh",
            "mac-cyrillic" | "maccyrillic" => "x-mac-cyrillic",
            other => other,
        };
        let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
        // Python takes no source in UTF-16, and means other things by some names of the web.
        let usable = encoding.is_ascii_compatible() || encoding == encoding_rs::ISO_2022_JP;
        usable.then_some(Self::Other(encoding))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Utf8 | Self::Utf8Bom => "UTF-8",
            Self::Ascii => "ASCII",
            Self::Latin1 => "latin-1",
            Self::Other(encoding) => encoding.name(),
        }
    }

    /// The text, or the place of the first byte that stands for none.
    fn decode(self, bytes: &[u8]) -> Result<String, usize> {
        match self {
            Self::Utf8 => utf8(bytes),
            Self::Utf8Bom => utf8(bytes.strip_prefix(BOM).unwrap_or(bytes)),
            Self::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
                Some(at) => Err(at),
                None => utf8(bytes),
            },
            Self::Latin1 => Ok(encoding_rs::mem::decode_latin1(bytes).into_owned()),
            Self::Other(encoding) => {
                let mut decoder = encoding.new_decoder_without_bom_handling();
                let length = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or_default();
                let mut text = String::with_capacity(length);
                match decoder.decode_to_string_without_replacement(bytes, &mut text, true) {
                    (DecoderResult::InputEmpty, _) => Ok(text),
                    (DecoderResult::Malformed(bad, beyond), read) => {
                        Err(read.saturating_sub(usize::from(bad + beyond)))
                    }
                    (DecoderResult::OutputFull, read) => Err(read),
                }
            }
        }
    }

    fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Utf8Bom => Some([BOM, text.as_bytes()].concat()),
            Self::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Self::Latin1 => text.chars().map(|c| u8::try_from(c).ok()).collect(),
            Self::Other(encoding) => match encoding.encode(text) {
                (bytes, _, false) => Some(bytes.into_owned()),
                _ => None,
            },
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<String, usize> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(error.valid_up_to()),
    }
}

/// The codec that a comment in the first two lines names, as PEP 263 says: the first that matches
/// `^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`; the second line counts if the first holds nothing but a comment.
fn declared_codec(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let mut rest = bytes;
    for _ in 0..2 {
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        let line = line.trim_ascii_start();
        if let Some(comment) = line.strip_prefix(b"#") {
            for at in memchr::memmem::find_iter(comment, b"coding") {
                let after = &comment[at + b"coding".len()..];
                let Some((b':' | b'=', name)) = after.split_first() else { continue };
                let name = name.trim_ascii_start();
                let length = name.iter().take_while(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)).count();
                if length > 0 {
                    return Some(String::from_utf8_lossy(&name[..length]).into_owned());
                }
            }
        } else if !line.is_empty() {
            return None;
        }
        rest = after.strip_prefix(b"\r\n").or(after.get(1..)).unwrap_or_default();
    }
    None
}

fn undecodable(bytes: &[u8], at: usize, codec: Codec) -> Problem {
    let content = if codec == Codec::Utf8Bom { bytes.strip_prefix(BOM).unwrap_or(bytes) } else { bytes };
    let (line, column) = line_and_column(content, at);
    Problem::Undecodable { codec: codec.name(), line, column, byte: content.get(at).copied().unwrap_or_default() }
}

/// From 1; the column in bytes.
fn line_and_column(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = &bytes[..at.min(bytes.len())];
    let crlf = memchr::memmem::find_iter(before, b"\r\n").count();
    let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |end| end + 1);
    (memchr::memchr2_iter(b'\n', b'\r', before).count() - crlf + 1, before.len() - start + 1)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::TooLarge => write!(f, "it is larger than {} MiB", MAX_BYTES >> 20),
            Self::UnknownCodec(name) => {
                write!(f, "it declares the encoding `{name}`, which is unknown here; save it as UTF-8")
            }
            Self::CodecAfterBom(name) => write!(
                f,
                "it starts with the byte order mark of UTF-8 and declares the encoding `{name}`; Python refuses that, too: \
                 remove one of them"
            ),
            Self::Utf16 => write!(f, "it is UTF-16, which Python does not read; save it as UTF-8"),
            Self::Undecodable { codec: "UTF-8", line, column, byte } => write!(
                f,
                "it is not UTF-8: byte 0x{byte:02x} in line {line} at column {column}; save it as UTF-8, or declare its \
                 encoding in the first line: `# -*- coding: latin-1 -*-`"
            ),
            Self::Undecodable { codec, line, column, byte } => write!(
                f,
                "it declares the encoding {codec}, but byte 0x{byte:02x} in line {line} at column {column} is none of that"
            ),
            Self::Nul(line) => write!(f, "there is a NUL byte in line {line}, which Python refuses"),
        }
    }
}

impl fmt::Display for WriteProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Unencodable => write!(f, "the fixed text cannot be written in the file's encoding; save it as UTF-8"),
            Self::Changed => write!(f, "it has changed on disk since it was read; run again"),
        }
    }
}

//! A lexer that knows just enough of Python to find the ends of logical lines: strings, brackets, comments and continuations.
//!
//! Broken text is what it meets most of the time, in an editor. A quote or bracket that was opened and never closed must not
//! swallow the rest of the file, so a line that can only be the start of a statement (a *fence*, see [`Scanner::fence`]) is
//! stronger evidence than an open bracket, and than an open triple quote, unless that quote is really closed further down.

use memchr::{memchr2, memchr2_iter, memrchr2};

/// Whether a byte can stand in a name. Every byte of a character that is not ASCII can.
pub(super) const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The bytes at which code has to be looked at more closely.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"\n\r\\#'\"()[]{}:";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

/// What a line that may be a fence stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// An open bracket or string.
    Open,
    /// A line continued with a backslash: `from a \` goes on with `import b`.
    Continuation,
}

/// An f-string whose replacement fields are being read.
struct FString {
    quote: u8,
    triple: bool,
    /// How many format specifiers we are in: `f"{x:{width}}"` has its second field in the first's specifier.
    specifiers: u32,
    /// How many brackets are open around it.
    depth: u32,
}

/// What ends a stretch of an f-string's own text.
enum FStringEnd {
    Field,
    Quote,
    /// The end of the line, for single quotes, or of the file: it is not closed.
    Nothing,
}

/// A finished search for the end of a triple-quoted string.
#[derive(Clone, Copy)]
struct Search {
    from: usize,
    /// Where the closing quotes start.
    found: Option<usize>,
}

/// Reads a text from an offset on, logical line by logical line.
pub(super) struct Scanner<'t> {
    bytes: &'t [u8],
    /// The next byte to read; between calls the start of a line.
    pub pos: usize,
    /// Every byte before this one may have been looked at; the end of the file counts as one byte.
    pub looked: usize,
    /// The last search for each of `'''` and `"""`: else a text could be made for which each string searches the whole file.
    searches: [Option<Search>; 2],
}

impl<'t> Scanner<'t> {
    pub fn new(bytes: &'t [u8], pos: usize) -> Self {
        Self { bytes, pos, looked: pos, searches: [None; 2] }
    }

    pub fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub fn saw(&mut self, before: usize) {
        self.looked = self.looked.max(before);
    }

    /// Moves over blank lines and lines with nothing but a comment. Then the next line holds code: returns where that code starts
    /// and whether it is indented; or nothing at the end of the file.
    pub fn next_code(&mut self) -> Option<(usize, bool)> {
        loop {
            let (code, indented) = self.indentation(self.pos);
            self.saw(code + 1);
            match self.byte(code) {
                Some(b'#') => self.pos = self.line_end(code),
                Some(b'\n' | b'\r') => self.pos = code,
                Some(_) => return Some((code, indented)),
                None => {
                    self.pos = code;
                    return None;
                }
            }
            self.newline();
        }
    }

    /// Where the code of a line that starts at `at` starts, and whether it is indented. A form feed sets the column back to 0.
    fn indentation(&self, mut at: usize) -> (usize, bool) {
        let mut indented = false;
        loop {
            match self.byte(at) {
                Some(b' ' | b'\t') => indented = true,
                Some(b'\x0C') => indented = false,
                Some(0xEF) if self.bytes[at..].starts_with(BYTE_ORDER_MARK) => at += 2,
                _ => return (at, indented),
            }
            at += 1;
        }
    }

    /// Where the line of `at` ends, before its line break.
    fn line_end(&self, at: usize) -> usize {
        memchr2(b'\n', b'\r', &self.bytes[at..]).map_or(self.bytes.len(), |length| at + length)
    }

    /// Moves over a line break, if one is here.
    fn newline(&mut self) {
        self.pos = self.after_newline(self.pos);
        self.saw(self.pos + 1);
    }

    fn after_newline(&self, at: usize) -> usize {
        match self.byte(at) {
            Some(b'\r') if self.byte(at + 1) == Some(b'\n') => at + 2,
            Some(b'\r' | b'\n') => at + 1,
            _ => at,
        }
    }

    /// The name or keyword that starts at `at`.
    pub fn word(&self, at: usize) -> &'t [u8] {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|&byte| !is_name(byte)).unwrap_or(rest.len());
        &rest[..length]
    }

    /// The first offset from `at` on that is neither a space nor a tab.
    pub fn skip_blanks(&self, mut at: usize) -> usize {
        while self.byte(at).is_some_and(is_blank) {
            at += 1;
        }
        at
    }

    /// Moves to the start of the next logical line: over the rest of this line, and over those that a bracket, a string or a
    /// backslash joins to it.
    pub fn logical_line(&mut self) {
        let start = self.pos;
        let mut depth = 0_u32;
        let mut f_strings: Vec<FString> = Vec::new();
        loop {
            while self.pos < self.bytes.len() && !SPECIAL[self.bytes[self.pos] as usize] {
                self.pos += 1;
            }
            let Some(byte) = self.byte(self.pos) else {
                return self.saw(self.bytes.len() + 1);
            };
            let mut in_f_string = false;
            match byte {
                b'\n' | b'\r' => {
                    self.newline();
                    if (depth == 0 && f_strings.is_empty()) || self.at_fence(Inside::Open) {
                        return;
                    }
                    continue;
                }
                b'#' => {
                    self.pos = self.line_end(self.pos);
                    continue;
                }
                b'\\' if matches!(self.byte(self.pos + 1), Some(b'\n' | b'\r')) => {
                    self.pos += 1;
                    self.newline();
                    if self.at_fence(Inside::Continuation) {
                        return;
                    }
                    continue;
                }
                b'(' | b'[' | b'{' => depth += 1,
                b'}' if depth == 0 => in_f_string = !f_strings.is_empty(),
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b':' if depth == 0 => {
                    if let Some(f_string) = f_strings.last_mut() {
                        f_string.specifiers += 1;
                        in_f_string = true;
                    }
                }
                quote @ (b'\'' | b'"') => {
                    let is_f_string = self.is_f_string(start);
                    let triple = self.bytes[self.pos..].starts_with(&[quote; 3]);
                    if triple && self.unclosed(quote) {
                        return;
                    }
                    if is_f_string {
                        self.pos += if triple { 2 } else { 0 };
                        f_strings.push(FString { quote, triple, specifiers: 0, depth });
                        in_f_string = true;
                    } else if triple {
                        let open = self.pos + 3;
                        self.pos = self.close(quote, open).map_or(self.bytes.len(), |close| close + 3);
                        continue;
                    } else {
                        self.single_quoted(quote);
                        continue;
                    }
                }
                _ => {}
            }
            self.pos += 1;
            if in_f_string && let Some(f_string) = f_strings.last_mut() {
                let outer = f_string.depth;
                match self.f_string(f_string) {
                    FStringEnd::Field => depth = 0,
                    FStringEnd::Quote | FStringEnd::Nothing => {
                        depth = outer;
                        f_strings.pop();
                    }
                }
            }
        }
    }

    /// Whether the quote here starts an f-string or a template string: `f`, `t`, `rf` and so on before it. `start`: where the
    /// logical line starts.
    fn is_f_string(&self, start: usize) -> bool {
        let before = &self.bytes[start..self.pos];
        let prefix = before.iter().rev().take(3).take_while(|&&byte| is_name(byte));
        let (length, interpolates) = prefix.fold((0, false), |(length, interpolates), byte| {
            (length + 1, interpolates || matches!(byte, b'f' | b'F' | b't' | b'T'))
        });
        let is_prefix = |&byte: &u8| b"rRbBuUfFtT".contains(&byte);
        interpolates && length <= 2 && before[before.len() - length..].iter().all(is_prefix)
    }

    /// Moves from the opening quote of a string over its closing one; to the end of the line where there is none.
    fn single_quoted(&mut self, quote: u8) {
        self.pos += 1;
        while let Some(byte) = self.byte(self.pos) {
            match byte {
                b'\\' => self.escape(),
                b'\n' | b'\r' => return,
                _ => {
                    self.pos += 1;
                    if byte == quote {
                        return;
                    }
                }
            }
        }
    }

    /// Moves over a backslash and what it escapes: a character, or a whole line break.
    fn escape(&mut self) {
        let escaped = self.pos + 1;
        self.pos = match self.byte(escaped) {
            Some(b'\n' | b'\r') => self.after_newline(escaped),
            // A character that is not ASCII goes on after its first byte with bytes that mean nothing here.
            Some(_) => escaped + 1,
            None => escaped,
        };
    }

    /// Moves through the text of an f-string: behind what ends it.
    fn f_string(&mut self, f_string: &mut FString) -> FStringEnd {
        while let Some(byte) = self.byte(self.pos) {
            match byte {
                b'\\' if matches!(self.byte(self.pos + 1), Some(b'{' | b'}')) => self.pos += 1,
                b'\\' => self.escape(),
                b'{' if f_string.specifiers == 0 && self.byte(self.pos + 1) == Some(b'{') => self.pos += 2,
                b'{' => {
                    self.pos += 1;
                    return FStringEnd::Field;
                }
                b'}' => {
                    f_string.specifiers = f_string.specifiers.saturating_sub(1);
                    self.pos += 1;
                }
                b'\n' | b'\r' if !f_string.triple => return FStringEnd::Nothing,
                _ if byte == f_string.quote && !f_string.triple => {
                    self.pos += 1;
                    return FStringEnd::Quote;
                }
                _ if byte == f_string.quote && self.bytes[self.pos..].starts_with(&[byte; 3]) => {
                    self.pos += 3;
                    return FStringEnd::Quote;
                }
                _ => self.pos += 1,
            }
        }
        FStringEnd::Nothing
    }

    /// Where the closing quotes of a triple-quoted string start, whose text starts at `from`.
    fn close(&mut self, quote: u8, from: usize) -> Option<usize> {
        let search = &mut self.searches[usize::from(quote == b'"')];
        if let Some(Search { from: searched, found }) = *search
            && searched <= from
            && found.is_none_or(|found| from <= found)
        {
            return found;
        }
        let mut at = from;
        let found = loop {
            let Some(next) = self.bytes.get(at..).and_then(|rest| memchr2(quote, b'\\', rest)) else {
                break None;
            };
            at += next;
            if self.bytes[at] == b'\\' {
                at += 2;
            } else if self.bytes[at..].starts_with(&[quote; 3]) {
                break Some(at);
            } else {
                at += 1;
            }
        };
        *search = Some(Search { from, found });
        found
    }

    /// Whether the triple quotes here open a string that was never meant to reach as far as it does: it has a fence in it, and it
    /// is either not closed at all, or what closes it looks like the opening quotes of another string. If so, moves to the fence.
    fn unclosed(&mut self, quote: u8) -> bool {
        let open = self.pos + 3;
        let close = self.close(quote, open);
        // What follows looks at no more than the line of the closing quotes.
        self.saw(close.map_or(self.bytes.len(), |close| self.line_end(close)) + 1);
        if close.is_some_and(|close| !self.looks_like_opening(open, close)) {
            return false;
        }
        let end = close.unwrap_or(self.bytes.len());
        let mut lines = memchr2_iter(b'\n', b'\r', &self.bytes[open..end]).map(|at| self.after_newline(open + at));
        let Some(fence) = lines.find(|&line| self.fence(line, Inside::Open).is_some()) else {
            return false;
        };
        self.pos = fence;
        true
    }

    /// Whether the triple quotes at `close`, which would end a string whose text starts at `open`, rather open one of their own.
    fn looks_like_opening(&self, open: usize, close: usize) -> bool {
        let after = self.skip_blanks(close + 3);
        match self.byte(after) {
            // `"""Summary line.`, not `""" if x`, nor `"""` and another string.
            Some(byte) if is_name(byte) => {
                let word = self.word(after);
                let goes_on = after > close + 3
                    && matches!(
                        word,
                        b"if" | b"else" | b"for" | b"async" | b"in" | b"is" | b"not" | b"and" | b"or" | b"as"
                    );
                let is_prefix = word.len() <= 2 && matches!(self.byte(after + word.len()), Some(b'\'' | b'"'));
                !goes_on && !is_prefix
            }
            Some(b'\n' | b'\r') => {
                // Alone on its line, right under the `def` or `class` whose docstring it would open; or `X = """`.
                let text = &self.bytes[open..close];
                let line = memrchr2(b'\n', b'\r', text).map_or(0, |at| at + 1);
                let before = text[line..].trim_ascii();
                if !matches!(before, b"" | b"r" | b"R") {
                    return matches!(before.last(), Some(b'=' | b'('));
                }
                let above = text[..line].trim_ascii_end();
                let header = memrchr2(b'\n', b'\r', above).map_or(0, |at| at + 1);
                let indentation = |line: usize| self.indentation(open + line).0 - open - line;
                above.last() == Some(&b':')
                    && indentation(line) > indentation(header)
                    && (self.fence(open + header, Inside::Open).is_some()
                        || above[header..].trim_ascii().starts_with(b")"))
            }
            _ => false,
        }
    }

    /// Whether the line that starts here is a fence.
    fn at_fence(&mut self, inside: Inside) -> bool {
        let fence = self.fence(self.pos, inside);
        if let Some(end) = fence {
            self.saw(end + 1);
        }
        fence.is_some()
    }

    /// If the line that starts at `at` is a fence, where what makes it one ends.
    ///
    /// Anywhere: `def name`, `async def name`, `class Name:`, `class Name(`. At column 0 also `@name` with nothing or a `(` after it (else it
    /// may be a matrix product), `import name`, `from name import` and `if __name__`.
    fn fence(&self, at: usize, inside: Inside) -> Option<usize> {
        let (code, indented) = self.indentation(at);
        // Most lines are none: have it said by one byte.
        if !matches!(self.byte(code)?, b'd' | b'a' | b'c' | b'@' | b'i' | b'f') {
            return None;
        }
        // The end of a name that follows the word that ends at `end`, blanks between them.
        let name_after = |end: usize| {
            let start = self.skip_blanks(end);
            let name = self.word(start);
            (start > end && !name.is_empty()).then_some(start + name.len())
        };
        let word = self.word(code);
        let end = code + word.len();
        match word {
            b"def" => return name_after(end),
            b"async" => {
                let def = name_after(end)?;
                return if self.bytes[..def].ends_with(b"def") { name_after(def) } else { None };
            }
            b"class" => {
                let name = self.skip_blanks(name_after(end)?);
                return matches!(self.byte(name), Some(b':' | b'(' | b'[')).then_some(name + 1);
            }
            _ if indented || inside == Inside::Continuation => return None,
            _ => {}
        }
        match word {
            b"" if self.byte(code) == Some(b'@') => {
                let mut name = code + 1;
                while self.byte(name).is_some_and(|byte| is_name(byte) || byte == b'.') {
                    name += 1;
                }
                let after = self.skip_blanks(name);
                let is_decorator = matches!(self.byte(after), None | Some(b'(' | b'#' | b'\n' | b'\r'));
                (name > code + 1 && is_decorator).then_some(after + 1)
            }
            b"import" => name_after(end),
            b"from" => {
                let mut module = self.skip_blanks(end);
                while self.byte(module).is_some_and(|byte| is_name(byte) || byte == b'.') {
                    module += 1;
                }
                let import = name_after(module)?;
                self.bytes[..import].ends_with(b"import").then_some(import)
            }
            b"if" => {
                let name = name_after(end)?;
                self.bytes[..name].ends_with(b"__name__").then_some(name)
            }
            _ => None,
        }
    }
}

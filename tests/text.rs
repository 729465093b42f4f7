//! Positions and edits, against a model that counts character by character.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use aiolint::text::{Change, Edit, Encoding, LineIndex, Position, Span, Text};
use proptest::prelude::*;

const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

fn position(line: u32, character: u32) -> Position {
    Position { line, character }
}

#[test]
fn a_line_ends_with_any_of_the_three_line_breaks() {
    let text = Text::new("a\nb\r\nc\rd\n\re\r".to_owned());
    let lines: Vec<_> = (0..text.line_count()).map(|line| text.line(line).of(text.as_str())).collect();
    assert_eq!(lines, ["a", "b", "c", "d", "", "e", ""]);
    assert_eq!(text.line(7), Span::new(text.len(), text.len()));
    assert_eq!(Text::new(String::new()).line_count(), 1);
}

#[test]
fn each_encoding_counts_its_own_units() {
    // One, two, three and four bytes; one, one, one and two units of UTF-16.
    let text = Text::new("aé€𝕏b\n".to_owned());
    for (encoding, of_x, of_b) in [(Encoding::Utf8, 6, 10), (Encoding::Utf16, 3, 5), (Encoding::Utf32, 3, 4)] {
        assert_eq!(text.position(6, encoding), position(0, of_x));
        assert_eq!(text.position(10, encoding), position(0, of_b));
        assert_eq!(text.offset(position(0, of_x), encoding), 6);
        assert_eq!(text.offset(position(0, of_b), encoding), 10);
    }
}

#[test]
fn positions_are_clamped_as_the_protocol_says() {
    let text = Text::new("𝕏x\r\ny".to_owned());
    for encoding in ENCODINGS {
        assert_eq!(text.offset(position(0, 99), encoding), 5, "the end of the line, before its line break");
        assert_eq!(text.offset(position(0, u32::MAX), encoding), 5);
        assert_eq!(text.offset(position(1, 2), encoding), 8);
        assert_eq!(text.offset(position(2, 0), encoding), 8, "a line past the last");
        assert_eq!(text.offset(position(u32::MAX, u32::MAX), encoding), 8);
        assert_eq!(text.position(6, encoding), text.position(5, encoding), "between \\r and \\n");
        assert_eq!(text.position(99, encoding), position(1, 1));
        assert_eq!(text.position(2, encoding), position(0, 0), "inside a character");
    }
    assert_eq!(text.offset(position(0, 1), Encoding::Utf16), 0, "inside a surrogate pair");
    assert_eq!(text.offset(position(0, 3), Encoding::Utf8), 0, "inside a character");
}

#[test]
fn a_backward_range_counts_as_forward() {
    let mut text = Text::new("one two".to_owned());
    let change = Change { range: Some((position(0, 7), position(0, 4))), text: "2".to_owned() };
    assert_eq!(text.apply(&change, Encoding::Utf16), Edit { start: 4, old_end: 7, new_end: 5 });
    assert_eq!(text.as_str(), "one 2");
}

#[test]
fn a_change_of_the_whole_text_edits_what_differs() {
    let mut text = Text::new("one é two".to_owned());
    let mut whole = |new: &str| text.apply(&Change { range: None, text: new.to_owned() }, Encoding::Utf16);
    // é and è share their first byte; é and ũ their last: no place to cut a character.
    assert_eq!(whole("one è two"), Edit { start: 4, old_end: 6, new_end: 6 });
    assert_eq!(whole("one é two"), Edit { start: 4, old_end: 6, new_end: 6 });
    assert_eq!(whole("one ũ two"), Edit { start: 4, old_end: 6, new_end: 6 });
    assert_eq!(whole("one ũ two"), Edit { start: 10, old_end: 10, new_end: 10 });
    assert_eq!(whole("one è two"), Edit { start: 4, old_end: 6, new_end: 6 });
    assert_eq!(whole("one è è two"), Edit { start: 7, old_end: 7, new_end: 10 });
    assert_eq!(whole(""), Edit { start: 0, old_end: 13, new_end: 0 });
    assert_eq!(whole("aa"), Edit { start: 0, old_end: 0, new_end: 2 });
    assert_eq!(whole("a"), Edit { start: 1, old_end: 2, new_end: 1 });
}

/// The offset of each line, and of the end of its content.
fn model_lines(text: &str) -> Vec<(usize, usize)> {
    let mut lines = Vec::new();
    let (mut start, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let end = at;
        at += if bytes[at..].starts_with(b"\r\n") { 2 } else { 1 };
        if matches!(bytes[end], b'\r' | b'\n') {
            lines.push((start, end));
            start = at;
        }
    }
    lines.push((start, bytes.len()));
    lines
}

fn units(char: char, encoding: Encoding) -> u32 {
    match encoding {
        Encoding::Utf8 => char.len_utf8() as u32,
        Encoding::Utf16 => char.len_utf16() as u32,
        Encoding::Utf32 => 1,
    }
}

/// Walks over the line's characters as long as they fit.
fn model_offset(text: &str, position: Position, encoding: Encoding) -> usize {
    let lines = model_lines(text);
    let Some(&(start, end)) = lines.get(position.line as usize) else { return text.len() };
    let (mut offset, mut left) = (start, position.character);
    for char in text[start..end].chars() {
        match left.checked_sub(units(char, encoding)) {
            Some(rest) => left = rest,
            None => break,
        }
        offset += char.len_utf8();
    }
    offset
}

fn model_position(text: &str, offset: usize, encoding: Encoding) -> Position {
    let lines = model_lines(text);
    let line = lines.iter().rposition(|&(start, _)| start <= offset).unwrap();
    let (start, end) = lines[line];
    let character = text[start..offset.min(end)].chars().map(|char| units(char, encoding)).sum();
    position(line as u32, character)
}

fn any_text() -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("ab c"), Just("é"), Just("€"), Just("𝕏"), Just("x")];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn any_change() -> impl Strategy<Value = Change> {
    let place = || (0..8_u32, 0..8_u32).prop_map(|(line, character)| position(line, character));
    (prop::option::weighted(0.9, (place(), place())), any_text()).prop_map(|(range, text)| Change { range, text })
}

fn any_encoding() -> impl Strategy<Value = Encoding> {
    prop::sample::select(&ENCODINGS[..])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn edits_and_positions_are_those_of_the_model(
        start in any_text(),
        changes in prop::collection::vec(any_change(), 0..8),
        encoding in any_encoding(),
    ) {
        let mut text = Text::new(start.clone());
        let mut model = start;
        for change in changes {
            let before = model.clone();
            match change.range {
                None => model.clone_from(&change.text),
                Some((from, to)) => {
                    let (from, to) = (model_offset(&model, from, encoding), model_offset(&model, to, encoding));
                    model.replace_range(from.min(to)..from.max(to), &change.text);
                }
            }
            let edit = text.apply(&change, encoding);
            prop_assert_eq!(text.as_str(), &model);
            prop_assert_eq!(&model[..edit.start as usize], &before[..edit.start as usize]);
            prop_assert_eq!(&model[edit.new_end as usize..], &before[edit.old_end as usize..]);
            let mut lines = LineIndex::new(&before);
            lines.apply(&model, edit);
            prop_assert_eq!(lines, LineIndex::new(&model));
            let spans: Vec<_> = (0..text.line_count()).map(|line| text.line(line)).map(|line| (line.start as usize, line.end as usize)).collect();
            prop_assert_eq!(spans, model_lines(&model));
        }
        for offset in (0..=model.len()).filter(|&offset| model.is_char_boundary(offset)) {
            prop_assert_eq!(text.position(offset as u32, encoding), model_position(&model, offset, encoding));
        }
        for line in 0..10 {
            for character in 0..20 {
                let position = position(line, character);
                prop_assert_eq!(text.offset(position, encoding) as usize, model_offset(&model, position, encoding));
            }
        }
    }
}

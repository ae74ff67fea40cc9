#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use ratatui::{
    layout::Rect,
    style::{Color, Modifier},
};

use super::*;

/// Texts that have broken somebody's terminal program.
pub const HOSTILE: &[&str] = &[
    "\x1b[2J\x1b[H\x1b]0;title\x07",
    "\x1b]52;c;aGVsbG8=\x07",
    "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP$q\"p\x1b\\",
    "\u{9b}31m\u{9d}0;t\u{9c}",
    "50%\r60%\rdone\n",
    "a\u{202e}cba\u{2066}x\u{2069}\u{200f}",
    "שלום עולם العربية",
    "e\u{301}e\u{301}\u{327}",
    "漢字かな交じり文",
    "👨‍👩‍👧‍👦👍🏽🇩🇪❤️",
    "a\u{200b}b\u{200c}c\u{200d}d\u{feff}e\u{2060}f\u{ad}g",
    "\t\ta\tb\t",
    "\u{301}\u{302}",
    "\0\x7f\x08\x0b",
    "ｶﾞﾊﾟ",
    "क्षि नमस्ते",
    "\u{1100}\u{1161}\u{11a8}",
    "\u{e0041}\u{fff9}",
    "",
];

/// No cell has anything in it that a terminal would obey, and no row is wider than it is.
pub fn check_buffer(buf: &Buffer) {
    for y in buf.area.top()..buf.area.bottom() {
        let mut x = buf.area.left();
        while x < buf.area.right() {
            let symbol = buf[(x, y)].symbol();
            for c in symbol.chars() {
                assert!(
                    !c.is_control()
                        && !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'),
                    "{symbol:?} at {x},{y}"
                );
            }
            let width = ratatui::buffer::CellWidth::cell_width(symbol).max(1);
            assert!(x + width <= buf.area.right(), "{symbol:?} at {x},{y} sticks out");
            for covered in x + 1..x + width {
                assert_eq!(buf[(covered, y)].symbol(), " ", "under {symbol:?}");
            }
            x += width;
        }
    }
}

pub fn row(buf: &Buffer, y: u16) -> String {
    let mut out = String::new();
    let mut x = 0;
    while x < buf.area.width {
        let symbol = buf[(x, y)].symbol();
        out.push_str(symbol);
        x += ratatui::buffer::CellWidth::cell_width(symbol).max(1);
    }
    out
}

fn drawn(text: &str, columns: u16) -> String {
    let mut buf = Buffer::empty(Rect::new(0, 0, columns, 1));
    put(&mut buf, (0, 0), columns, text, Style::new());
    check_buffer(&buf);
    row(&buf, 0).trim_end().to_owned()
}

#[test]
fn cuts_where_there_is_room_and_never_in_a_character() {
    let table = [
        ("hello", 5, "hello"),
        ("hello", 4, "hel…"),
        ("hello", 1, "…"),
        ("漢字", 4, "漢字"),
        ("漢字", 3, "漢…"),
        ("漢字", 2, "…"),
        ("a漢字", 4, "a漢…"),
        ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ("a\tb", 9, "a       b"),
        ("漢\tb", 9, "漢      b"),
        ("\x1b[31mx", 9, "\\x1b[31mx"),
        ("a\u{202e}b", 10, "a\\u{202e}b"),
        ("a\u{200b}b", 2, "ab"),
    ];
    for (text, columns, want) in table {
        assert_eq!(drawn(text, columns), want, "{text:?} in {columns}");
    }
    assert_eq!(fit("hello", 0), "");
}

#[test]
fn a_huge_text_costs_what_it_shows() {
    let huge = "\x1b[1mx\t".repeat(2 << 20);
    assert!(fit(&huge, 80).ends_with('…'));
    assert!(head(&huge, 80).0.len() <= 81 * BYTES_PER_COLUMN, "only this much is looked at");
    let marks = format!("a{}", "\u{301}".repeat(1 << 20));
    assert!(drawn(&marks, 10).len() < 64);
}

/// What comes in, the text and the styles of it.
type Case<'a> = (&'a str, &'a str, &'a [(usize, Style)]);

#[test]
fn colours_are_kept_as_data() {
    let red = Style::new().fg(Color::Red);
    let table: &[Case<'_>] = &[
        ("\x1b[31mred\x1b[0m ok", "red ok", &[(0, red), (3, Style::new())]),
        ("a\x1b[1;38;5;208mb", "ab", &[(1, Style::new().fg(Color::Indexed(208)).add_modifier(Modifier::BOLD))]),
        ("\x1b[38;2;1;2;3mb", "b", &[(0, Style::new().fg(Color::Rgb(1, 2, 3)))]),
        ("\x1b[48:2::1:2:3mb", "b", &[(0, Style::new().bg(Color::Rgb(1, 2, 3)))]),
        ("\x1b[38:5:9mb\x1b[m", "b", &[(0, Style::new().fg(Color::LightRed)), (1, Style::new())]),
        ("a\t\x1b[31mb\tc", "a       b       c", &[(8, red)]),
        ("\x1b[31m\x1b[2J\u{202e}x", "\\x1b[2J\\u{202e}x", &[(0, red)]),
        ("\x1b[31", "\\x1b[31", &[]),
        ("\x1b[999;38;5;300;38mx", "x", &[]),
        ("\x1b[8;5mx", "x", &[]),
    ];
    for (text, plain, runs) in table {
        let coloured = coloured(text);
        assert_eq!((&*coloured.text, coloured.runs.as_slice()), (*plain, *runs), "{text:?}");
    }
}

#[test]
fn hostile_texts_at_each_width() {
    for text in HOSTILE {
        for columns in 1..40 {
            drawn(text, columns);
        }
    }
}

pub fn anything() -> impl Strategy<Value = String> {
    let wild = prop::collection::vec(any::<u8>(), 0..200).prop_map(|b| String::from_utf8_lossy(&b).into_owned());
    let mixed = prop::collection::vec(prop::sample::select(HOSTILE), 0..6).prop_map(|parts| parts.concat());
    prop_oneof![wild, mixed, any::<String>()]
}

proptest! {
    #[test]
    fn nothing_reaches_a_cell_that_acts(text in anything(), columns in 1u16..60, x in 0u16..8) {
        let mut buf = Buffer::empty(Rect::new(0, 0, 50, 1));
        let used = put(&mut buf, (x, 0), columns, &text, Style::new());
        prop_assert!(used <= columns && x + used <= 50);
        check_buffer(&buf);
        prop_assert!(width(&fit(&text, columns.into())) <= columns.into());
    }

    #[test]
    fn styles_stay_within_the_text(text in anything()) {
        let coloured = coloured(&text);
        let mut last = 0;
        for (at, _) in &coloured.runs {
            prop_assert!(*at >= last && coloured.text.is_char_boundary(*at));
            last = *at;
        }
        prop_assert!(!coloured.text.chars().any(char::is_control));
    }
}

//! The colours a service gives its own output: the one kind of escape sequence that is obeyed, as data.

use std::borrow::Cow;

use orco_core::log::sanitize;
use ratatui::style::{Color, Modifier, Style};

use super::{Untabbed, clean};

/// Longer sequences are shown as the text they are.
const LONGEST: usize = 96;
/// More changes of colour than that in one line are nobody's wish.
const CHANGES: usize = 4096;

/// A clean text and the styles it asked for.
#[derive(Debug, Default)]
pub struct Coloured<'a> {
    /// The text without the sequences.
    pub text: Cow<'a, str>,
    /// From which byte on which style holds; sorted. Before the first there is none.
    pub runs: Vec<(usize, Style)>,
}

/// Takes colours and weights (SGR: 16, 256 and RGB) out of a text and cleans the rest: every other sequence is shown.
pub fn coloured(text: &str) -> Coloured<'_> {
    if !text.as_bytes().contains(&0x1b) {
        return Coloured { text: clean(text), runs: Vec::new() };
    }
    let mut out = Untabbed::default();
    let mut runs: Vec<(usize, Style)> = Vec::new();
    let (mut style, mut from, mut look) = (Style::new(), 0, 0);
    while let Some(found) = text[look..].find("\x1b[") {
        let at = look + found;
        look = at + 2;
        let Some(length) = parameters(&text.as_bytes()[look..]) else { continue };
        if runs.len() >= CHANGES {
            break;
        }
        out.push(&sanitize(&text[from..at]));
        let before = style;
        apply(&mut style, &text[look..look + length]);
        look += length + 1;
        from = look;
        if style != before {
            runs.push((out.text.len(), style));
        }
    }
    out.push(&sanitize(&text[from..]));
    Coloured { text: Cow::Owned(out.text), runs }
}

/// The length of the parameters of an SGR sequence, if it is one.
fn parameters(rest: &[u8]) -> Option<usize> {
    let end = rest.iter().take(LONGEST).position(|b| !matches!(b, b'0'..=b'9' | b';' | b':'))?;
    (rest[end] == b'm').then_some(end)
}

/// Changes the style as the parameters say; what is unknown changes nothing.
fn apply(style: &mut Style, parameters: &str) {
    let mut codes = parameters.split(';');
    while let Some(code) = codes.next() {
        if let Some((first, rest)) = code.split_once(':') {
            with_colons(style, first, rest);
            continue;
        }
        match number(code) {
            Some(ground @ (38 | 48)) => {
                let colour = match codes.next().and_then(number) {
                    Some(5) => codes.next().and_then(number).map(indexed),
                    Some(2) => rgb(codes.next(), codes.next(), codes.next()),
                    _ => None,
                };
                paint(style, ground, colour);
            }
            Some(code) => simple(style, code),
            None => {}
        }
    }
}

/// `38:5:n`, `38:2::r:g:b`, `38:2:r:g:b`, `4:3`.
fn with_colons(style: &mut Style, first: &str, rest: &str) {
    let parts: Vec<&str> = rest.split(':').take(8).collect();
    match (number(first), parts.as_slice()) {
        (Some(4), [kind, ..]) => simple(style, if number(kind) == Some(0) { 24 } else { 4 }),
        (Some(ground @ (38 | 48)), ["5", index]) => paint(style, ground, number(index).map(indexed)),
        (Some(ground @ (38 | 48)), ["2", r, g, b] | ["2", _, r, g, b, ..]) => {
            paint(style, ground, rgb(Some(r), Some(g), Some(b)));
        }
        _ => {}
    }
}

/// A number, where nothing at all is 0.
fn number(text: &str) -> Option<u8> {
    if text.is_empty() { Some(0) } else { text.parse().ok() }
}

fn rgb(r: Option<&str>, g: Option<&str>, b: Option<&str>) -> Option<Color> {
    Some(Color::Rgb(r.and_then(number)?, g.and_then(number)?, b.and_then(number)?))
}

/// The first 16 of the 256 are those that the terminal's own theme sets.
const fn indexed(index: u8) -> Color {
    if index < 16 { basic(index) } else { Color::Indexed(index) }
}

const fn basic(index: u8) -> Color {
    match index {
        0 => Color::Black,
        1 => Color::Red,
        2 => Color::Green,
        3 => Color::Yellow,
        4 => Color::Blue,
        5 => Color::Magenta,
        6 => Color::Cyan,
        7 => Color::Gray,
        8 => Color::DarkGray,
        9 => Color::LightRed,
        10 => Color::LightGreen,
        11 => Color::LightYellow,
        12 => Color::LightBlue,
        13 => Color::LightMagenta,
        14 => Color::LightCyan,
        _ => Color::White,
    }
}

const fn paint(style: &mut Style, ground: u8, colour: Option<Color>) {
    if colour.is_some() {
        if ground == 38 {
            style.fg = colour;
        } else {
            style.bg = colour;
        }
    }
}

/// The codes that stand alone. Blinking and hidden text are not obeyed.
fn simple(style: &mut Style, code: u8) {
    match code {
        0 => *style = Style::new(),
        1 => *style = style.add_modifier(Modifier::BOLD),
        2 => *style = style.add_modifier(Modifier::DIM),
        3 => *style = style.add_modifier(Modifier::ITALIC),
        4 => *style = style.add_modifier(Modifier::UNDERLINED),
        7 => *style = style.add_modifier(Modifier::REVERSED),
        9 => *style = style.add_modifier(Modifier::CROSSED_OUT),
        22 => style.add_modifier.remove(Modifier::BOLD | Modifier::DIM),
        23 => style.add_modifier.remove(Modifier::ITALIC),
        24 => style.add_modifier.remove(Modifier::UNDERLINED),
        27 => style.add_modifier.remove(Modifier::REVERSED),
        29 => style.add_modifier.remove(Modifier::CROSSED_OUT),
        30..=37 => style.fg = Some(basic(code - 30)),
        39 => style.fg = None,
        40..=47 => style.bg = Some(basic(code - 40)),
        49 => style.bg = None,
        90..=97 => style.fg = Some(basic(code - 90 + 8)),
        100..=107 => style.bg = Some(basic(code - 100 + 8)),
        _ => {}
    }
}

//! What is at the other end of stdout and stderr, and writing to it.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};

use crate::render::{Fit, Paint};

/// Whether standard output is a terminal.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether the terminal says that it can do more than lines.
pub fn draws() -> bool {
    std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Colour on standard output: only on a terminal, and `NO_COLOR` is obeyed.
pub fn paint() -> Paint {
    Paint(!matches!(AutoStream::choice(&io::stdout()), ColorChoice::Never))
}

/// Colour on standard error.
pub fn paint_err() -> Paint {
    Paint(!matches!(AutoStream::choice(&io::stderr()), ColorChoice::Never))
}

/// The width of the terminal on standard output; everything where there is none.
pub fn fit() -> Fit {
    if !is_terminal() {
        return Fit::Whole;
    }
    Fit::Columns(terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0).max(40)))
}

/// How much room there is on the terminal on standard error (columns, lines), where lines can be drawn again.
pub fn canvas() -> Option<(usize, usize)> {
    if !io::stderr().is_terminal() || !draws() {
        return None;
    }
    let size = terminal_size::terminal_size_of(io::stderr());
    Some(size.map_or((80, 24), |(width, height)| (usize::from(width.0), usize::from(height.0))))
}

/// Writes to standard output at once.
///
/// # Errors
/// As the system says; a reader that has gone is [`io::ErrorKind::BrokenPipe`].
pub fn print(text: impl AsRef<[u8]>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    pieces(text.as_ref()).try_for_each(|piece| out.write_all(piece))?;
    out.flush()
}

/// What is longer goes out in pieces. Into a file: for much at once the system takes memory that nobody has used for
/// long, and for less the pages that were given back last, which costs a fraction.
const PIECE: usize = 64 << 10;

/// A text in pieces that end where lines end, so that others who write to the same file come between lines.
fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_end = |byte: &u8| *byte == b'\n';
        // All that is left, or whole lines, or one that is longer.
        let end = match rest.get(..PIECE) {
            Some(most) if rest.len() > PIECE => most.iter().rposition(is_end).or_else(|| rest.iter().position(is_end)),
            Some(_) | None => None,
        };
        let (piece, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Writes a message to standard error. Where that is closed, nobody wants to know.
pub fn note(text: impl AsRef<[u8]>) {
    let _ = io::stderr().lock().write_all(text.as_ref());
}

/// For a process without a terminal: what happens goes to standard error, one line each, unless `ORCO_LOG` has asked
/// for something else.
pub fn keep_a_log() {
    // A level is no filter: filters bring regular expressions, which an idle daemon need not hold.
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(io::stderr).with_ansi(false);
    // To tell stderr that stderr takes nothing would be a panic: the log may lie on a disk that is full.
    let _ = subscriber.log_internal_errors(false).try_init();
}

/// With `ORCO_LOG` set (`debug`, `orco_core=trace`), Orco's own diagnostics go to standard error.
pub fn listen_to_ourselves() {
    let Ok(filter) = std::env::var("ORCO_LOG") else { return };
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(filter);
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    // Only fails where somebody has set one already, and nobody has.
    let _ = subscriber.with_ansi(paint_err().0).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_lines_and_all_of_the_text() {
        let line = |len: usize| [vec![b'x'; len], b"\n".to_vec()].concat();
        for lens in [&[][..], &[0], &[10; 20_000], &[PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 7], &[PIECE / 2; 9]] {
            let mut text: Vec<u8> = lens.iter().flat_map(|len| line(*len)).collect();
            for end in ["", "begun"] {
                text.extend_from_slice(end.as_bytes());
                let all: Vec<&[u8]> = pieces(&text).collect();
                assert_eq!(all.concat(), text);
                let whole = all.len().saturating_sub(1);
                assert!(all[..whole].iter().all(|piece| piece.ends_with(b"\n")));
                let is_fine =
                    |piece: &&[u8]| piece.len() <= PIECE || piece.iter().filter(|b| **b == b'\n').count() <= 1;
                assert!(all.iter().all(is_fine));
            }
        }
    }
}

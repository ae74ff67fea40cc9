//! One line about the selection: what it used over the last minutes.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::tui::{
    app::App,
    canvas,
    theme::{Role, Theme},
    usage::{self, SAMPLES},
};

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A spark line of the last values, one column for each, at most so many; a gap where nothing is known. The highest
/// value, or `full` if that is higher, is a whole column.
pub fn spark(values: &[Option<f64>], columns: usize, full: f64) -> String {
    let shown = &values[values.len().saturating_sub(columns)..];
    let top = shown.iter().flatten().copied().fold(full, f64::max);
    let bar = |value: &Option<f64>| match value {
        None => ' ',
        Some(value) if top > 0.0 => {
            let step = (value / top * 7.0).round().clamp(0.0, 7.0);
            BARS[step as usize]
        }
        Some(_) => BARS[0],
    };
    shown.iter().map(bar).collect()
}

/// Draws it.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let service = app.table.selected().service();
    let samples = app.model.usage.samples(service);
    let Some(last) = samples.last() else { return };
    let name = service.unwrap_or("All");
    let mut x = area.x + 1;
    x = canvas::put(buf, area, x, area.y, &canvas::fit(name, usize::from(area.width) / 4), theme.style(Role::Strong));
    let cpu: Vec<_> = samples.iter().map(|sample| sample.cpu.map(f64::from)).collect();
    let memory: Vec<_> = samples.iter().map(|sample| sample.memory.map(|bytes| bytes as f64)).collect();
    // Two lines share what is left beside names and numbers.
    let room = usize::from(area.right().saturating_sub(x)).saturating_sub(26) / 2;
    let columns = room.min(SAMPLES);
    // What does not change stands half as high as there is room, so that a rise and a fall are seen alike.
    let top = |values: &[Option<f64>]| values.iter().flatten().copied().fold(0.5, f64::max) * 2.0;
    let now = [last.cpu.map(usage::percent), last.memory.map(usage::bytes)];
    for (label, values, now, full) in [("CPU", &cpu, &now[0], 10.0), ("MEM", &memory, &now[1], top(&memory))] {
        x = canvas::put(buf, area, x, area.y, &format!("  {label} "), theme.style(Role::Faint));
        x = canvas::put(buf, area, x, area.y, &spark(values, columns, full), theme.style(Role::Accent));
        let text = format!(" {}", now.as_deref().unwrap_or("-"));
        x = canvas::put(buf, area, x, area.y, &text, theme.style(Role::Plain));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_is_a_whole_column_and_what_is_unknown_a_gap() {
        let values = [Some(0.0), None, Some(35.0), Some(70.0)];
        assert_eq!(spark(&values, 10, 1.0), "▁ ▅█");
        assert_eq!(spark(&values, 2, 1.0), "▅█");
        assert_eq!(spark(&values, 0, 1.0), "");
        assert_eq!(spark(&[Some(1.0), Some(0.0)], 9, 100.0), "▁▁");
        assert_eq!(spark(&[Some(0.0)], 9, 0.0), "▁");
    }
}

//! The list of events.

use orco_api::wire::Event;
use ratatui::crossterm::event::{MouseEvent, MouseEventKind};

use super::*;

fn tell(app: &mut App, events: Vec<Event>) {
    app.update(Input::News(News::Events(events)), samples::now());
}

fn code(app: &mut App, code: KeyCode) {
    app.update(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)), samples::now());
}

#[test]
fn an_open_event_scrolls() {
    let mut app = app(Home::Attached, 60, 24);
    tell(&mut app, samples::events());
    let mut long = samples::event(90);
    long.data = serde_json::json!((0..50).map(|n| format!("item {n:02}")).collect::<Vec<_>>());
    tell(&mut app, vec![long]);
    press(&mut app, "e>");
    let whole = text(&mut app);
    assert!(whole.contains("item 00") && whole.contains(" of 53 ") && !whole.contains("item 20"), "{whole}");
    for _ in 0..20 {
        code(&mut app, KeyCode::PageDown);
    }
    let end = text(&mut app);
    assert!(end.contains("item 49") && end.contains("-53 of 53 ") && !end.contains("item 20"), "{end}");
    code(&mut app, KeyCode::PageUp);
    assert!(!text(&mut app).contains("item 49"));
    // The wheel moves what is under it.
    let below = app.parts().below;
    let wheel = |row| {
        let kind = MouseEventKind::ScrollDown;
        Input::Mouse(MouseEvent { kind, column: 5, row, modifiers: KeyModifiers::NONE })
    };
    for _ in 0..20 {
        app.update(wheel(below.bottom() - 1), samples::now());
    }
    assert!(text(&mut app).contains("item 49"));
    // Another event is read from its beginning.
    press(&mut app, "^");
    assert!(text(&mut app).contains("restart 1/5 in 2s"));
    app.update(wheel(below.y), samples::now());
    assert!(text(&mut app).contains("item 49"), "back where it was left");
}

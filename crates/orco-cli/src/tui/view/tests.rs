//! The views below the table, the help and the palette on a virtual screen.
#![allow(clippy::unwrap_used)]

use orco_api::wire::{Event, Graph, Status, Why};
use proptest::prelude::*;
use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind},
    layout::Rect,
};

use crate::tui::{
    app::{App, Focus, Home, Input, View},
    news::{Effect, News, Question, Request},
    samples,
    table::Row,
    text::tests::{anything, check_buffer, row},
    theme::{Depth, Ground, Theme},
    view,
};

const PLAIN: Theme = Theme { ground: Ground::Dark, depth: Depth::None };

/// With everything that [`samples`] have.
fn app(width: u16, height: u16) -> App {
    let mut app = App::new(Home::Attached, false);
    feed(&mut app, Input::Resize(width, height));
    feed(&mut app, Input::News(News::Status(Box::new(samples::status()))));
    feed(&mut app, Input::News(News::Events(samples::events())));
    app
}

fn feed(app: &mut App, input: Input) -> Vec<Effect> {
    app.update(input, samples::now())
}

fn press(app: &mut App, code: KeyCode) -> Vec<Effect> {
    feed(app, Input::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn type_in(app: &mut App, text: &str) -> Vec<Effect> {
    text.chars().flat_map(|c| press(app, KeyCode::Char(c))).collect()
}

fn drawn(app: &mut App, theme: &Theme) -> Buffer {
    let mut buf = Buffer::empty(app.screen);
    view::draw(app, &mut buf, theme);
    check_buffer(&buf);
    buf
}

fn text(app: &mut App) -> String {
    let buf = drawn(app, &PLAIN);
    (0..buf.area.height).map(|y| format!("{}\n", row(&buf, y).trim_end())).collect()
}

/// Which styles there are, where, and of what.
fn styles(app: &mut App, theme: &Theme) -> String {
    let buf = drawn(app, theme);
    let mut out = String::new();
    for y in 0..buf.area.height {
        let mut x = 0;
        while x < buf.area.width {
            let style = buf[(x, y)].style();
            let from = x;
            let mut text = String::new();
            while x < buf.area.width && buf[(x, y)].style() == style {
                text.push_str(buf[(x, y)].symbol());
                x += 1;
            }
            let (fg, bg, modifier) = (style.fg.unwrap_or_default(), style.bg.unwrap_or_default(), style.add_modifier);
            if !text.trim().is_empty() || bg != ratatui::style::Color::Reset || !modifier.is_empty() {
                out.push_str(&format!("{y:2},{from:2} {fg} on {bg} {modifier:?}: {}\n", text.trim_end()));
            }
        }
    }
    out
}

/// Each view of this file, with something selected in it.
const VIEWS: [&str; 7] = ["graph", "events", "event", "why", "trouble", "help", "palette"];

fn show(app: &mut App, view: &str) {
    match view {
        "graph" => {
            press(app, KeyCode::Char('g'));
            feed(app, Input::News(News::Graph(Ok(Box::new(samples::graph())))));
            press(app, KeyCode::Down);
            press(app, KeyCode::Right);
        }
        "events" => {
            press(app, KeyCode::Char('e'));
            press(app, KeyCode::Up);
        }
        "event" => {
            show(app, "events");
            press(app, KeyCode::Enter);
        }
        "why" => {
            app.go_to("web");
            press(app, KeyCode::Char('w'));
            feed(app, Input::News(News::Why("web".into(), Ok(Box::new(samples::why())))));
        }
        "trouble" => {
            press(app, KeyCode::Char('w'));
        }
        "help" => {
            press(app, KeyCode::Char('?'));
        }
        _ => {
            type_in(app, ":restart ");
            press(app, KeyCode::Tab);
            press(app, KeyCode::Tab);
        }
    }
}

#[test]
fn at_three_sizes() {
    for view in VIEWS {
        let mut all = String::new();
        for (width, height) in [(40, 10), (80, 24), (160, 50)] {
            let mut app = app(width, height);
            show(&mut app, view);
            all.push_str(&format!("{width}x{height}\n{}", text(&mut app)));
        }
        insta::assert_snapshot!(format!("{view}_sizes"), all);
    }
}

#[test]
fn in_four_themes() {
    for view in VIEWS {
        let mut all = String::new();
        for (name, ground, depth) in [
            ("no colours", Ground::Dark, Depth::None),
            ("16 colours", Ground::Dark, Depth::Sixteen),
            ("dark", Ground::Dark, Depth::Many),
            ("light", Ground::Light, Depth::Many),
        ] {
            let mut app = app(64, 16);
            show(&mut app, view);
            let text = styles(&mut app, &Theme { ground, depth });
            assert!(depth != Depth::None || !text.contains("Red on"), "{text}");
            all.push_str(&format!("{name}\n{text}"));
        }
        insta::assert_snapshot!(format!("{view}_themes"), all);
    }
}

#[test]
fn the_graph_leads_to_the_table() {
    let mut app = app(80, 24);
    let asked = press(&mut app, KeyCode::Char('g'));
    assert_eq!(asked, [Effect::Ask(Question::Graph)]);
    assert!(text(&mut app).contains("asking for the graph"));
    feed(&mut app, Input::News(News::Graph(Ok(Box::new(samples::graph())))));
    press(&mut app, KeyCode::End);
    press(&mut app, KeyCode::Left);
    assert_eq!(app.views.graph.selected(), "api", "the first of what worker needs and is not ready");
    press(&mut app, KeyCode::Right);
    press(&mut app, KeyCode::Enter);
    assert_eq!((app.table.selected(), app.focus), (&Row::Service("worker".into()), Focus::Table));
    // Once more: back to the logs.
    press(&mut app, KeyCode::Char('g'));
    assert_eq!(app.view, View::Logs);
}

#[test]
fn a_graph_that_has_changed_is_asked_for_again() {
    let mut app = app(80, 24);
    press(&mut app, KeyCode::Char('g'));
    let mut status = samples::status();
    status.services["api"].revision = "another".into();
    // It is under way: what comes may be the old one.
    assert_eq!(feed(&mut app, Input::News(News::Status(Box::new(status.clone())))), []);
    let again = feed(&mut app, Input::News(News::Graph(Ok(Box::new(samples::graph())))));
    assert_eq!(again, [Effect::Ask(Question::Graph)]);
    feed(&mut app, Input::News(News::Graph(Ok(Box::new(samples::graph())))));
    assert_eq!(feed(&mut app, Input::News(News::Status(Box::new(status)))), [], "nothing has changed");
}

#[test]
fn large_graphs_scroll_both_ways() {
    let mut app = app(60, 20);
    press(&mut app, KeyCode::Char('g'));
    feed(&mut app, Input::News(News::Graph(Ok(Box::new(samples::wide_graph(200))))));
    press(&mut app, KeyCode::End);
    assert!(text(&mut app).contains("s199"), "{}", text(&mut app));
    let before = text(&mut app);
    press(&mut app, KeyCode::Char('>'));
    assert_ne!(text(&mut app), before);
    for _ in 0..500 {
        press(&mut app, KeyCode::Char('>'));
    }
    // There is something to see at the very end, and the first step back is one.
    let end = text(&mut app);
    assert!(end.contains("(ready)"), "{end}");
    press(&mut app, KeyCode::Char('<'));
    assert_ne!(text(&mut app), end);
}

#[test]
fn why_is_asked_again_when_its_causes_change_and_once_a_second_at_most() {
    let mut app = app(80, 24);
    app.go_to("web");
    let why = || Effect::Ask(Question::Why("web".into()));
    let at = |ms: u64| {
        let now = samples::now().unix_micros() + ms * 1000;
        orco_api::wire::Timestamp::from_unix_micros(now)
    };
    let key = Input::Key(KeyEvent::new(KeyCode::Char('w'), KeyModifiers::NONE));
    assert_eq!(app.update(key, at(0)), [why()]);
    app.update(Input::News(News::Why("web".into(), Ok(Box::new(samples::why())))), at(5));
    let of_why = |effects: Vec<Effect>| effects.iter().filter(|e| matches!(e, Effect::Ask(Question::Why(_)))).count();
    let mut news = samples::status();
    let mut tell = |app: &mut App, name: &str, ms: u64| {
        news.services[name].restarts += 1;
        of_why(app.update(Input::News(News::Status(Box::new(news.clone()))), at(ms)))
    };
    assert_eq!(tell(&mut app, "worker", 1500), 0, "no cause of it");
    assert_eq!(tell(&mut app, "db", 1600), 1, "a cause");
    assert_eq!(tell(&mut app, "db", 1700), 0, "not so soon");
    assert_eq!(of_why(app.update(Input::Tick, at(2500))), 0);
    assert_eq!(of_why(app.update(Input::Tick, at(2700))), 1, "then");
    assert_eq!(of_why(app.update(Input::Tick, at(9000))), 0, "nothing has changed since");
    // Another one: at once.
    app.update(Input::Key(KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE)), at(9001));
    app.focus = Focus::Table;
    assert_eq!(of_why(app.update(Input::Key(KeyEvent::new(KeyCode::Down, KeyModifiers::NONE)), at(9002))), 1);
    // Nobody looks: nobody asks.
    app.update(Input::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)), at(9003));
    assert_eq!(tell(&mut app, "worker", 20_000), 0);
}

#[test]
fn the_palette_does_what_it_is_told() {
    let mut app = app(80, 24);
    type_in(&mut app, ":scale api=3");
    let done = press(&mut app, KeyCode::Enter);
    assert_eq!(done, [Effect::Do(Request::Scale("api".into(), 3))]);
    type_in(&mut app, ":restart db");
    assert_eq!(press(&mut app, KeyCode::Enter), []);
    assert!(text(&mut app).contains("restart db, one replica at a time? (y/n)"), "{}", text(&mut app));
    assert_eq!(type_in(&mut app, "y"), [Effect::Do(Request::Restart(vec!["db".into()]))]);
    type_in(&mut app, ":theme light");
    assert_eq!(press(&mut app, KeyCode::Enter), [Effect::Ground(Some(Ground::Light))]);
    type_in(&mut app, ":wrk");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.table.selected(), &Row::Service("worker".into()));
    type_in(&mut app, ":events");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.view, View::Events);
    type_in(&mut app, ":logs db");
    press(&mut app, KeyCode::Enter);
    assert_eq!((app.view, app.selected_service().as_deref()), (View::Logs, Some("db")));
    // A mistake is told, and can be mended.
    type_in(&mut app, ":scale api=x");
    press(&mut app, KeyCode::Enter);
    assert!(text(&mut app).contains("`x` is not a number of replicas"), "{}", text(&mut app));
    press(&mut app, KeyCode::Backspace);
    type_in(&mut app, "2");
    assert_eq!(press(&mut app, KeyCode::Enter), [Effect::Do(Request::Scale("api".into(), 2))]);
    // What was done comes back.
    press(&mut app, KeyCode::Char(':'));
    press(&mut app, KeyCode::Up);
    press(&mut app, KeyCode::Up);
    assert!(text(&mut app).contains(":logs db"), "{}", text(&mut app));
}

#[test]
fn read_only_hides_and_refuses_changes() {
    let mut app = app(100, 60);
    app.read_only = true;
    press(&mut app, KeyCode::Char('?'));
    assert!(!text(&mut app).contains("restart the selected"), "{}", text(&mut app));
    press(&mut app, KeyCode::Esc);
    type_in(&mut app, ":res");
    assert!(!text(&mut app).contains("restart the selected"), "{}", text(&mut app));
    type_in(&mut app, "tart db");
    assert_eq!(press(&mut app, KeyCode::Enter), []);
    assert!(text(&mut app).contains("read-only: nothing can be changed here"), "{}", text(&mut app));
}

#[test]
fn the_mouse_selects_and_scrolls_below() {
    let mut app = app(80, 24);
    show(&mut app, "graph");
    let below = app.parts().below;
    let mouse = |kind, row| Input::Mouse(MouseEvent { kind, column: 5, row, modifiers: KeyModifiers::NONE });
    feed(&mut app, mouse(MouseEventKind::Down(MouseButton::Left), below.y));
    assert_eq!(app.views.graph.selected(), "db");
    feed(&mut app, mouse(MouseEventKind::ScrollDown, below.y));
    assert_eq!(app.views.graph.selected(), "web");
    show(&mut app, "events");
    feed(&mut app, mouse(MouseEventKind::Down(MouseButton::Left), below.y + 1));
    assert!(!app.views.events.follows());
}

/// Hostile texts wherever a text comes from.
fn spoiled(texts: &[String]) -> (Status, Vec<Event>, Why, Graph) {
    let mut at = 0;
    let mut next = || {
        at += 1;
        texts[at % texts.len()].clone()
    };
    let mut status = samples::status();
    let mut services = std::mem::take(&mut status.services);
    status.stack = next();
    for (number, (_, mut service)) in services.drain(..).enumerate() {
        service.message = next();
        service.name = format!("{number}{}", next());
        status.services.insert(service.name.clone(), service);
    }
    let names: Vec<String> = status.services.keys().cloned().collect();
    let mut events = samples::events();
    for (number, event) in events.iter_mut().enumerate() {
        event.service = Some(names[number % names.len()].clone());
        (event.kind, event.message, event.reason) = (next(), next(), Some(next()));
        event.data = serde_json::json!({ "x": next() });
    }
    let mut why = samples::why();
    (why.service, why.message, why.last_probe) = (names[0].clone(), next(), Some(next()));
    why.because[0].message = next();
    why.because[0].log_tail[0].msg = next();
    let mut graph = samples::graph();
    for (node, name) in graph.nodes.iter_mut().zip(&names) {
        for edge in &mut graph.edges {
            [&mut edge.from, &mut edge.to]
                .into_iter()
                .filter(|end| **end == node.name)
                .for_each(|end| end.clone_from(name));
        }
        node.name.clone_from(name);
    }
    (status, events, why, graph)
}

fn keys() -> impl Strategy<Value = Vec<KeyCode>> {
    use KeyCode::{BackTab, Backspace, Char, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up};
    let some = "gewLf?:Tzjk+-></ rnK GhloS漢".chars().map(Char);
    let others = [Down, Up, Left, Right, Home, End, PageUp, PageDown, Enter, Esc, Tab, BackTab, Backspace];
    prop::collection::vec(prop::sample::select(some.chain(others).collect::<Vec<_>>()), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_nothing_acts_and_nothing_panics(
        texts in prop::collection::vec(anything(), 1..12),
        keys in keys(),
        (width, height) in prop_oneof![(1u16..30, 1u16..12), (1u16..=500, 1u16..=200)],
        (then_width, then_height) in (1u16..90, 1u16..40),
        view in prop::sample::select(VIEWS.as_slice()),
        pasted in anything(),
        many in any::<bool>(),
    ) {
        let (status, events, why, graph) = spoiled(&texts);
        let mut app = app(width, height);
        show(&mut app, view);
        feed(&mut app, Input::News(News::Status(Box::new(status))));
        feed(&mut app, Input::News(News::Events(events)));
        feed(&mut app, Input::News(News::Graph(Ok(Box::new(if many { samples::wide_graph(60) } else { graph })))));
        app.go_to(&why.service);
        feed(&mut app, Input::News(News::Why(why.service.clone(), Ok(Box::new(why)))));
        drawn(&mut app, &Theme::default());
        feed(&mut app, Input::Resize(then_width, then_height));
        for code in keys {
            press(&mut app, code);
            drawn(&mut app, &PLAIN);
        }
        feed(&mut app, Input::Paste(pasted));
        feed(&mut app, Input::Resize(width, height));
        drawn(&mut app, &Theme::default());
        let area = Rect::new(0, 0, width, height);
        prop_assert_eq!(app.screen, area);
    }
}

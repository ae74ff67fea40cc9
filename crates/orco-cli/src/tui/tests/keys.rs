//! What keys do.

use super::{
    super::{
        app::Focus,
        news::{Ended, Question, Request},
        table::Row,
    },
    *,
};
use orco_api::wire::Outcome;

fn api(app: &mut App) {
    press(app, "vvv");
    assert_eq!(app.table.selected(), &Row::Service("api".into()));
}

/// Without questions and subscriptions, which have their own tests.
fn commands(effects: Vec<Effect>) -> Vec<Effect> {
    effects.into_iter().filter(|effect| !matches!(effect, Effect::Ask(_) | Effect::Follow(..))).collect()
}

#[test]
fn what_hurts_is_asked_first() {
    for (keys, request) in [("S", Request::Stop(vec!["api".into()])), ("r", Request::Restart(vec!["api".into()]))] {
        let mut app = app(Home::Attached, 80, 24);
        api(&mut app);
        assert_eq!(press(&mut app, keys), [], "{keys}");
        assert_eq!(press(&mut app, "n"), [], "{keys}, no");
        assert_eq!(press(&mut app, keys), [], "{keys}");
        assert_eq!(press(&mut app, "xy"), [Effect::Do(request)], "{keys}, yes");
    }
    let mut app = app(Home::Attached, 80, 24);
    api(&mut app);
    assert_eq!(press(&mut app, "s"), [Effect::Do(Request::Start(vec!["api".into()]))]);
}

#[test]
fn numbers_and_signals_are_typed() {
    let mut app = app(Home::Attached, 80, 24);
    api(&mut app);
    press(&mut app, "n");
    ctrl(&mut app, 'u');
    assert_eq!(press(&mut app, "5>"), [Effect::Do(Request::Scale("api".into(), 5))]);
    for wrong in ["0>", "x>", ">"] {
        press(&mut app, "n");
        ctrl(&mut app, 'u');
        assert_eq!(press(&mut app, wrong), [], "{wrong}");
    }
    press(&mut app, "K");
    ctrl(&mut app, 'u');
    let signal = |replica| Request::Signal { service: "api".into(), replica, signal: "USR1".into() };
    assert_eq!(press(&mut app, "USR1>"), [Effect::Do(signal(None))]);
    press(&mut app, " vvK");
    ctrl(&mut app, 'u');
    assert_eq!(press(&mut app, "USR1>"), [Effect::Do(signal(Some(1)))]);
}

#[test]
fn the_row_of_all_means_all() {
    let mut app = app(Home::Attached, 80, 24);
    let all: Vec<String> = ["db", "seed", "api", "web", "worker"].map(str::to_owned).into();
    assert_eq!(press(&mut app, "ry"), [Effect::Do(Request::Restart(all))]);
    assert_eq!(press(&mut app, "nK"), [], "these are for one");
    assert_eq!(app.dialog, None);
}

#[test]
fn read_only_changes_nothing() {
    let mut app = App::new(Home::Attached, true);
    app.update(Input::Resize(80, 24), samples::now());
    app.update(Input::News(News::Status(Box::new(samples::status()))), samples::now());
    api(&mut app);
    for keys in ["s", "Sy", "ry", "n5>", "K>"] {
        assert_eq!(commands(press(&mut app, keys)), [], "{keys}");
        assert!(app.note.as_ref().is_some_and(|note| note.text.starts_with("read-only")), "{keys}");
    }
}

#[test]
fn who_looks_on_leaves_and_who_owns_is_asked() {
    for keys in ["q", "d"] {
        assert_eq!(press(&mut app(Home::Attached, 80, 24), keys), [Effect::End(Ended::Left)]);
        let mut own = app(Home::Here, 80, 24);
        assert_eq!(press(&mut own, keys), []);
        assert_eq!(press(&mut own, "n"), []);
        assert_eq!(press(&mut own, keys), []);
        assert_eq!(press(&mut own, "y"), [Effect::Interrupt]);
        assert!(own.stopping.is_some() && !own.killing);
        assert_eq!(press(&mut own, "qd"), [], "it is being stopped already");
        assert_eq!(ctrl(&mut own, 'c'), [Effect::Interrupt]);
        assert!(own.killing);
    }
    assert_eq!(ctrl(&mut app(Home::Attached, 80, 24), 'c'), [Effect::End(Ended::Interrupted)]);
    // Whatever is asked or typed.
    let mut own = app(Home::Here, 80, 24);
    press(&mut own, "/abc");
    assert_eq!(ctrl(&mut own, 'z'), [Effect::Suspend]);
    assert_eq!(ctrl(&mut own, 'c'), [Effect::Interrupt]);
}

#[test]
fn the_filter_is_seen_while_it_is_typed() {
    let mut app = app(Home::Attached, 80, 24);
    press(&mut app, "/we");
    assert_eq!(app.table.rows().len(), 2);
    press(&mut app, "<");
    assert_eq!(app.table.rows().len(), 6, "left: as before");
    press(&mut app, "/we>");
    assert_eq!(app.table.rows().len(), 2);
    press(&mut app, "<");
    assert_eq!(app.table.rows().len(), 6, "Esc clears it");
    // Keys of the table are text here.
    press(&mut app, "/qsS>");
    assert_eq!((app.table.filter(), app.dialog.is_none()), ("qsS", true));
}

#[test]
fn how_a_request_went_is_told() {
    let done = |outcome: Result<Outcome, String>| {
        let mut app = app(Home::Attached, 80, 24);
        api(&mut app);
        press(&mut app, "s");
        assert_eq!(app.under_way.len(), 1);
        let news = News::Done(Request::Start(vec!["api".into()]), outcome);
        app.update(Input::News(news), samples::now());
        assert!(app.under_way.is_empty());
        app.note.unwrap().text
    };
    assert_eq!(done(Ok(Outcome::DONE)), "start api: done");
    let failed = Outcome { done: false, service: Some("db".into()), why: Some("exit code 1".into()) };
    assert_eq!(done(Ok(failed)), "start api: db: exit code 1");
    assert_eq!(done(Err("no such running stack".into())), "start api: no such running stack");
}

#[test]
fn what_services_use_is_asked_for_while_it_is_seen_and_not_twice_at_once() {
    let mut app = App::new(Home::Attached, false);
    app.update(Input::Resize(80, 24), samples::now());
    let asks = |effects: Vec<Effect>| effects.contains(&Effect::Ask(Question::Usage));
    assert!(!asks(app.update(Input::Tick, samples::now())), "nothing is known yet");
    let status = || Input::News(News::Status(Box::new(samples::status())));
    assert!(asks(app.update(status(), samples::now())));
    assert!(!asks(app.update(Input::Tick, later(10))), "the answer has not come");
    app.update(Input::News(News::Usage(None)), later(10));
    assert!(asks(app.update(Input::Tick, later(10))));
    app.update(Input::News(News::Usage(None)), later(10));
    assert!(!asks(app.update(Input::Tick, later(11))), "too early");
    press(&mut app, "\t");
    app.focus = Focus::Below;
    press(&mut app, "z");
    assert!(!asks(app.update(Input::Tick, later(20))), "the table is not seen");
    press(&mut app, "z");
    assert!(asks(app.update(Input::Tick, later(20))));
}

#[test]
fn a_note_goes_by_itself() {
    let mut app = app(Home::Attached, 80, 24);
    press(&mut app, "K");
    assert!(app.note.is_some());
    app.update(Input::Tick, later(1));
    assert!(app.note.is_some());
    app.update(Input::Tick, later(20));
    assert!(app.note.is_none());
}

#[test]
fn lines_follow_the_selection_and_not_every_row_on_the_way() {
    let mut app = app(Home::Attached, 80, 24);
    let followed = |effects: Vec<Effect>| {
        let query = effects.into_iter().find_map(|effect| match effect {
            Effect::Follow(number, query) => Some((number, query.services)),
            _ => None,
        });
        query.unwrap_or_default()
    };
    assert_eq!(followed(press(&mut app, "vvv")), (0, String::new()), "it has just asked");
    assert!(app.wake().is_some(), "and will again");
    assert_eq!(followed(app.update(Input::Tick, later(1))), (2, "api".to_owned()));
    assert_eq!(followed(app.update(Input::Tick, later(2))), (0, String::new()));
    // A stream that has ended is opened anew, an earlier one is of no interest.
    app.update(Input::News(News::LogsEnded(1, None)), later(3));
    assert_eq!(followed(app.update(Input::Tick, later(4))), (0, String::new()));
    let ended = |number| Input::News(News::LogsEnded(number, None));
    assert_eq!(followed(app.update(ended(2), later(5))), (3, "api".to_owned()));
    assert_eq!(followed(app.update(ended(3), later(5))), (0, String::new()), "not again and again");
    assert_eq!(followed(app.update(Input::Tick, later(6))), (4, "api".to_owned()));
}

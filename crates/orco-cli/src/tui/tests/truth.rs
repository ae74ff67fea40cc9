//! What is told when something is not as it should be.

use super::{
    super::{
        keys,
        news::{Question, Request},
    },
    *,
};

#[test]
fn an_engine_that_hangs_is_told() {
    let mut app = app(Home::Attached, 80, 24);
    let asks = |effects: Vec<Effect>| effects.contains(&Effect::Ask(Question::Usage));
    assert!(asks(app.update(Input::Tick, later(10))));
    app.update(Input::Tick, later(14));
    assert!(!text(&mut app).contains("STALE"));
    app.update(Input::Tick, later(15));
    assert!(text(&mut app).contains("STALE: the engine does not answer"), "{}", text(&mut app));
    // It is asked again even if there was no answer, and one answer is enough.
    app.update(Input::News(News::Usage(None)), later(20));
    assert!(text(&mut app).contains("STALE"));
    assert!(asks(app.update(Input::Tick, later(21))));
    app.update(Input::News(News::Usage(Some(Box::new(samples::status())))), later(22));
    assert!(!text(&mut app).contains("STALE"), "{}", text(&mut app));
}

#[test]
fn an_answer_that_is_longer_than_the_screen_is_wide_is_read_whole() {
    for (width, height) in [(40, 10), (80, 24)] {
        let mut app = app(Home::Attached, width, height);
        let why = "words ".repeat(20) + "END";
        let request = Request::Scale("api".into(), 3);
        app.update(Input::News(News::Done(request.clone(), Err(why))), samples::now());
        let shown = text(&mut app);
        assert!(shown.contains("scale api to 3: words") && shown.contains("END"), "{shown}");
        let why = "words ".repeat(2_000) + "END";
        app.update(Input::News(News::Done(request, Err(why))), samples::now());
        let shown = text(&mut app);
        assert!(shown.contains("api ") && shown.trim_end().ends_with('…'), "the table stays in sight: {shown}");
    }
}

#[test]
fn the_help_is_read_whole_on_a_narrow_screen() {
    let mut app = app(Home::Attached, 40, 10);
    press(&mut app, "?");
    let mut all = String::new();
    for _ in 0..400 {
        all.push_str(&text(&mut app));
        press(&mut app, "v");
    }
    // Whatever a line says, its end is there.
    for line in keys::TABLE {
        let last = line.help.split(' ').next_back().unwrap();
        assert!(all.contains(last), "{}: {all}", line.help);
    }
}

#[test]
fn numbers_are_never_cut() {
    let mut app = app(Home::Attached, 80, 24);
    let mut status = samples::status();
    let one = status.services["db"].clone();
    for number in 0..1_234 {
        let mut more = one.clone();
        more.name = format!("db-{number}");
        (more.ready, more.replicas, more.ready_replicas) = (true, 20, 20);
        status.services.insert(more.name.clone(), more);
    }
    app.update(Input::News(News::Status(Box::new(status))), samples::now());
    let shown = text(&mut app);
    let all = shown.lines().find(|line| line.contains(" All ")).unwrap();
    let before_the_message = all.split("Failed,").next().unwrap();
    assert!(all.contains("/1239 ") && all.contains("/246") && !before_the_message.contains('…'), "{shown}");
}

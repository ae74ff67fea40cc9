//! What is seen, at several sizes.

use super::{super::dialog::Dialog, *};

#[test]
fn sizes() {
    for (width, height) in [(40, 10), (80, 24), (120, 40), (200, 60)] {
        let mut app = app(Home::Attached, width, height);
        press(&mut app, "vvv ");
        insta::assert_snapshot!(format!("{width}x{height}"), text(&mut app));
    }
}

#[test]
fn being_stopped() {
    let mut app = app(Home::Here, 80, 24);
    ctrl(&mut app, 'c');
    insta::assert_snapshot!(text(&mut app));
}

#[test]
fn stale_and_asked() {
    let mut app = app(Home::Attached, 80, 24);
    let stale = News::Stale("the connection is lost".to_owned());
    app.update(Input::News(stale), samples::now());
    press(&mut app, "vvvS");
    assert!(matches!(app.dialog, Some(Dialog::Confirm { .. })));
    insta::assert_snapshot!(text(&mut app));
    // The picture is kept, and is no longer called stale when news come.
    app.update(Input::News(News::Status(Box::new(samples::status()))), samples::now());
    assert!(!text(&mut app).contains("STALE"));
}

#[test]
fn nothing_known_yet() {
    let mut app = App::new(Home::Attached, true);
    app.update(Input::Resize(60, 12), samples::now());
    insta::assert_snapshot!(text(&mut app));
}

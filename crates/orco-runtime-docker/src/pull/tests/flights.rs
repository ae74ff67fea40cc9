//! Once for all, tries, and what is told; in virtual time.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures::future::join_all;
use orco_core::runtime::Stage;
use tokio::time::{Instant, timeout};

use crate::{
    credentials::Credentials,
    pull::{
        PullPolicy::{Always, Missing, Never},
        Pulls,
        fault::Trouble,
        turn::Turns,
    },
};

use super::{
    bench::Told,
    fake::{Fake, said},
};

struct Lab {
    fake: Arc<Fake>,
    pulls: Pulls,
    told: Told,
    _dir: tempfile::TempDir,
}

fn lab(fake: Fake) -> Lab {
    let (fake, told, dir) = (Arc::new(fake), Told::default(), tempfile::tempdir().unwrap());
    let turns = Turns::within(dir.path().join("turns"));
    let source = Arc::clone(&fake);
    Lab { pulls: Pulls::with(source, Credentials::default(), told.report(), turns), fake, told, _dir: dir }
}

#[tokio::test(start_paused = true)]
async fn policies() {
    let lab = lab(Fake::default());
    lab.fake.there.lock().unwrap().insert("here:1".into());
    let table = [
        ("here:1", Missing, None, 0),
        ("here:1", Never, None, 0),
        ("new:1", Missing, None, 1),
        ("new:1", Missing, None, 1),
        ("here:1", Always, None, 2),
        ("here:1", Always, None, 2),
        ("new:1", Always, None, 2),
        ("here:1", Missing, Some("linux/amd64"), 2),
    ];
    for (image, policy, platform, pulls) in table {
        lab.pulls.ensure(image, policy, platform).await.unwrap();
        assert_eq!(lab.fake.count(), pulls, "{image} {policy:?}");
    }
    let error = lab.pulls.ensure("absent", Never, None).await.unwrap_err();
    assert!(!error.is_unavailable() && error.is_certain());
    assert_eq!(error.to_string(), "image absent is not here, and its pull policy is `never`");
    let error = lab.pulls.ensure("here:1", Never, Some("linux/arm64")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "image here:1 is here for linux/amd64 and not for linux/arm64, and its pull policy is `never`"
    );
    let id = format!("sha256:{}", "0".repeat(64));
    let error = lab.pulls.ensure(&id, Missing, None).await.unwrap_err();
    assert!(error.to_string().contains("an id cannot be pulled"), "{error}");
    for (image, platform) in [("No", None), ("a", Some("mac book"))] {
        let error = lab.pulls.ensure(image, Missing, platform).await.unwrap_err();
        assert!(!error.is_unavailable() && error.is_certain(), "{error}");
    }
    assert_eq!(lab.fake.count(), 2);
    let error = lab.pulls.ensure("here:1", Missing, Some("linux/arm64")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot pull here:1 from docker.io: it has no image for linux/arm64 (what came is for linux/amd64)"
    );
    assert_eq!(lab.fake.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_went_away_is_pulled_again() {
    let lab = lab(Fake::default());
    lab.pulls.ensure("a", Always, None).await.unwrap();
    lab.fake.there.lock().unwrap().clear();
    lab.pulls.ensure("a", Always, None).await.unwrap();
    assert_eq!(lab.fake.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn many_callers_are_one_pull_and_share_its_end() {
    for (plan, fine) in [(None, true), (Some(said(404, "manifest unknown")), false)] {
        let lab = lab(Fake::slow());
        lab.fake.plan.lock().unwrap().extend(plan);
        let all = join_all((0..10).map(|_| lab.pulls.ensure("a", Missing, None))).await;
        assert!(all.iter().all(|outcome| outcome.is_ok() == fine), "{all:?}");
        assert_eq!(lab.fake.count(), 1);
        let last = lab.told.stages().pop().unwrap();
        assert_eq!(matches!(last, Stage::Done), fine, "{last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pull_lives_as_long_as_somebody_waits() {
    let lab = lab(Fake::slow());
    let short = timeout(Duration::from_secs(1), lab.pulls.ensure("a", Missing, None));
    let (short, long) = futures::join!(short, lab.pulls.ensure("a", Missing, None));
    assert!(short.is_err());
    long.unwrap();
    assert_eq!((lab.fake.count(), lab.fake.dropped.load(Ordering::SeqCst)), (1, 0));

    let both = join_all((0..2).map(|_| timeout(Duration::from_secs(1), lab.pulls.ensure("b", Missing, None)))).await;
    assert!(both.iter().all(Result::is_err));
    assert_eq!((lab.fake.count(), lab.fake.dropped.load(Ordering::SeqCst)), (2, 1));
    assert!(matches!(lab.told.stages().pop().unwrap(), Stage::Failed { .. }));
    // And nothing of it stands in the way.
    lab.pulls.ensure("b", Missing, None).await.unwrap();
    assert_eq!(lab.fake.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn several_images_at_once_and_not_too_many() {
    let lab = lab(Fake::slow());
    let names: Vec<String> = (0..10).map(|n| format!("image{n}")).collect();
    for outcome in join_all(names.iter().map(|n| lab.pulls.ensure(n, Missing, None))).await {
        outcome.unwrap();
    }
    assert_eq!((lab.fake.count(), lab.fake.most.load(Ordering::SeqCst)), (10, 4));
}

#[tokio::test(start_paused = true)]
async fn other_programs_pull_in_turn_and_find_it_there() {
    let lab = lab(Fake::slow());
    // Another program: nothing in common but the engine and the locks.
    let other = Told::default();
    let turns = Turns::within(lab._dir.path().join("turns"));
    let source = Arc::clone(&lab.fake);
    let second = Pulls::with(source, Credentials::default(), other.report(), turns);
    let (a, b) = futures::join!(lab.pulls.ensure("a", Missing, None), second.ensure("a", Missing, None));
    a.unwrap();
    b.unwrap();
    assert_eq!(lab.fake.count(), 1);
    assert!(other.waits().iter().any(|why| why.contains("another program")), "{other:?}");
    assert_eq!(other.stages().pop(), Some(Stage::Done));
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_again_and_what_stays_is_not() {
    let refused = "dial tcp 127.0.0.1:1: connect: connection refused";
    let heals = lab(Fake::failing([said(500, refused), said(200, "unexpected EOF"), Trouble::Nothing]));
    let begun = Instant::now();
    heals.pulls.ensure("a", Missing, None).await.unwrap();
    assert_eq!((heals.fake.count(), begun.elapsed().as_millis() / 100), (4, 35));
    assert_eq!(heals.told.waits().len(), 3);
    assert_eq!(heals.told.stages().pop(), Some(Stage::Done));

    let passing = [
        said(500, refused),
        said(200, "write /tmp/x: no space left on device"),
        said(429, "toomanyrequests: slow down"),
        Trouble::Silent(Duration::from_secs(60)),
    ];
    for trouble in passing {
        let lab = lab(Fake::failing((0..4).map(|_| trouble.clone())));
        let error = lab.pulls.ensure("redis:7", Missing, None).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        assert!(error.to_string().starts_with("cannot pull redis:7 from docker.io: "), "{error}");
        assert_eq!(lab.fake.count(), 4);
        assert_eq!(lab.told.stages().pop(), Some(Stage::Waiting { why: error.to_string() }));
        // It came by another way meanwhile.
        lab.fake.there.lock().unwrap().insert("redis:7".into());
        lab.pulls.ensure("redis:7", Missing, None).await.unwrap();
        assert_eq!(lab.told.stages().pop(), Some(Stage::Done));
    }

    let lasting = [
        (said(404, "manifest unknown"), "no such image or no access to it (manifest unknown; asked without a login)"),
        (
            said(200, "no matching manifest for linux/amd64"),
            "it has no image for the engine's platform (no matching manifest for linux/amd64)",
        ),
        (said(500, "x509: bad"), "the registry cannot be used as it is set up (x509: bad)"),
    ];
    for (trouble, why) in lasting {
        let lab = lab(Fake::failing([trouble]));
        let error = lab.pulls.ensure("ghcr.io/a/b", Missing, None).await.unwrap_err();
        assert!(!error.is_unavailable() && error.is_certain());
        assert_eq!(error.to_string(), format!("cannot pull ghcr.io/a/b from ghcr.io: {why}"));
        assert_eq!(lab.fake.count(), 1);
        assert_eq!(lab.told.stages().pop(), Some(Stage::Failed { why: error.to_string() }));
    }
}

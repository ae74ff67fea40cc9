//! A real engine and registries of our own: what is pulled, when, and as whom.

use futures::future::join_all;
use orco_core::runtime::Stage;

use crate::{
    credentials::Credentials,
    pull::PullPolicy::{Always, Missing, Never},
    registry::{TestImage, image::unique},
};

use super::bench::Bench;

const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn missing_always_and_never() {
    let Some(bench) = Bench::open("pull policies") else { return };
    let repository = unique("policies");
    let image = bench.registry.put(&repository, "1", &TestImage::of(&[1000]));
    let _images = bench.engine.images([&image]);
    let asked = || bench.registry.count(&[&repository, "/manifests/1"]);
    let pulls = bench.pulls();

    let error = pulls.ensure(&image, Never, None).await.unwrap_err();
    assert!(!error.is_unavailable() && error.is_certain() && asked() == 0, "{error}");

    pulls.ensure(&image, Missing, None).await.unwrap();
    assert!(bench.engine.has(&image));
    let once = asked();
    assert!(once > 0);
    for policy in [Missing, Never, Always] {
        pulls.ensure(&image, policy, None).await.unwrap();
        assert_eq!(asked(), once, "{policy:?}");
    }

    // The next program asks again with `always`, and then gets what is new.
    let pulls = bench.pulls();
    bench.registry.put(&repository, "1", &TestImage::of(&[1000]));
    pulls.ensure(&image, Missing, None).await.unwrap();
    assert_eq!(asked(), once);
    let layers = || bench.registry.count(&[&repository, "/blobs/"]);
    let before = layers();
    pulls.ensure(&image, Always, None).await.unwrap();
    assert!(asked() > once && layers() > before);
    let after = asked();
    pulls.ensure(&image, Always, None).await.unwrap();
    assert_eq!(asked(), after, "a restart asks the registry again");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_at_once_in_two_programs_are_one_pull() {
    let Some(bench) = Bench::open("shared pulls") else { return };
    let repository = unique("shared");
    let image = bench.registry.put(&repository, "1", &TestImage::of(&[2 * MIB]));
    let _images = bench.engine.images([&image]);
    let programs = [bench.pulls(), bench.pulls()];
    let all = (0..10).map(|n| programs[n % 2].ensure(&image, Missing, None));
    for outcome in join_all(all).await {
        outcome.unwrap();
    }
    // A layer and a config.
    assert_eq!(bench.registry.count(&["GET", &repository, "/blobs/"]), 2, "{}", bench.registry.log());
    assert_eq!(bench.registry.count(&["GET", &repository, "/manifests/"]), 1, "{}", bench.registry.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_the_engine_comes_back_through_the_registry() {
    let Some(bench) = Bench::open("an image that can be started") else { return };
    const BUSYBOX: &str = "orco-test/busybox:1";
    if !bench.engine.has(BUSYBOX) {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no {BUSYBOX}");
        eprintln!("skipped: an image that can be started: no {BUSYBOX}");
        return;
    }
    let image = bench.registry.name(&unique("busybox"), "1");
    let _images = bench.engine.images([&image]);
    bench.engine.tag(BUSYBOX, &image);
    bench.engine.push(&image);
    bench.engine.remove(&image);
    assert!(!bench.engine.has(&image));
    bench.pulls().ensure(&image, Missing, None).await.unwrap();
    assert!(bench.engine.has(&image));
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_bytes_of_all_layers_and_ends() {
    let Some(bench) = Bench::open("progress of a pull") else { return };
    let sizes = [24 * MIB, 12 * MIB];
    let image = bench.registry.put(&unique("progress"), "1", &TestImage::of(&sizes));
    let _images = bench.engine.images([&image]);
    bench.pulls().ensure(&image, Missing, None).await.unwrap();
    let stages = bench.told.stages();
    assert_eq!(stages.last(), Some(&Stage::Done), "{stages:?}");
    let mut last = 0;
    let mut most = 0;
    for stage in &stages[..stages.len() - 1] {
        let Stage::Running { done, total } = stage else { panic!("{stages:?}") };
        assert!(*done >= last && total.is_none_or(|total| *done <= total), "{stages:?}");
        (last, most) = (*done, total.unwrap_or(most));
    }
    let all = u64::try_from(sizes.iter().sum::<usize>()).unwrap();
    // How much of it the engine tells depends on its speed.
    assert!(most > 0 && most <= all + 64 * 1024 && last > 0, "{stages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_registry_does_not_have() {
    let Some(bench) = Bench::open("unknown images") else { return };
    let repository = unique("known");
    let image = bench.registry.put(&repository, "1", &TestImage::of(&[100]));
    let _images = bench.engine.images([&image]);
    let pulls = bench.pulls();
    let registry = bench.registry.address();
    for absent in [bench.registry.name(&repository, "2"), bench.registry.name(&unique("unknown"), "1")] {
        let error = pulls.ensure(&absent, Missing, None).await.unwrap_err();
        let head = format!("cannot pull {absent} from {registry}: no such image or no access to it (");
        assert!(error.to_string().starts_with(&head) && !error.is_unavailable() && error.is_certain(), "{error}");
        assert!(matches!(bench.told.stages().last(), Some(Stage::Failed { .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wanted_platform() {
    let Some(bench) = Bench::open("platforms of images") else { return };
    let (ours, alone, foreign) = (unique("both"), unique("alone"), unique("foreign"));
    let (here, other) = (TestImage::of(&[100]), TestImage::of(&[100]).for_platform("linux", "s390x"));
    let both = bench.registry.put_list(&ours, "1", &[here, other.clone()]);
    let alone = bench.registry.put(&alone, "1", &other);
    let foreign = bench.registry.put_list(&foreign, "1", &[other]);
    let _images = bench.engine.images([&both, &alone, &foreign]);
    let pulls = bench.pulls();

    let error = pulls.ensure(&foreign, Missing, None).await.unwrap_err();
    assert!(error.to_string().contains("it has no image for the engine's platform ("), "{error}");
    let error = pulls.ensure(&both, Missing, Some("linux/ppc64le")).await.unwrap_err();
    assert!(error.to_string().contains("it has no image for linux/ppc64le ("), "{error}");
    let error = pulls.ensure(&alone, Missing, Some("linux/arm64")).await.unwrap_err();
    assert!(error.to_string().contains("it has no image for linux/arm64 ("), "{error}");
    assert!(!error.is_unavailable() && error.is_certain());

    pulls.ensure(&both, Missing, None).await.unwrap();
    // It is here, but not for that one.
    let error = pulls.ensure(&both, Never, Some("linux/s390x")).await.unwrap_err();
    assert!(error.to_string().contains("and not for linux/s390x"), "{error}");
    pulls.ensure(&both, Missing, Some("linux/s390x")).await.unwrap();
    pulls.ensure(&both, Never, Some("linux/s390x")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_wants_a_login() {
    let Some(bench) = Bench::with_login("registries with a login") else { return };
    let registry = bench.registry.address();
    let image = bench.registry.put(&unique("secret"), "1", &TestImage::of(&[100]));
    let _images = bench.engine.images([&image]);
    let config =
        |name: &str, auth: &str| bench.file(name, &format!(r#"{{"auths": {{"{registry}": {{"auth": "{auth}"}}}}}}"#));
    let denied = [
        (Vec::new(), "asked without a login"),
        (vec![config("wrong", "YWxpY2U6aHVudGVyMg==")], "asked as `alice`"),
        (vec![bench.file("broken", r#"{"auths": "hunter2"}"#)], "broken: not what it should say at line 1"),
    ];
    for (files, whom) in denied {
        let error = bench.pulls_as(Credentials::in_files(files)).ensure(&image, Missing, None).await.unwrap_err();
        let text = error.chain();
        assert!(!error.is_unavailable() && error.is_certain(), "{text}");
        assert!(text.contains(&format!("cannot pull {image} from {registry}: no such image or no access")), "{text}");
        assert!(text.contains(whom) && !text.contains("hunter2"), "{text}");
        assert!(!format!("{:?}", bench.told).contains("hunter2"));
    }
    // Its characters are ones that the two ways to write base64 differ in.
    let right = config("right", "YWxpY2U6czNjcmV0Pz5+cGFzcw==");
    bench.pulls_as(Credentials::in_files(vec![right])).ensure(&image, Missing, None).await.unwrap();
    assert!(bench.engine.has(&image));
}

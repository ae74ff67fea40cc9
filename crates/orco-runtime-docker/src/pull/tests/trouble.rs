//! A real engine, and registries that go away, break off and fall silent.

use std::time::Duration;

use orco_core::runtime::{RuntimeError, Stage};

use crate::{
    pull::{PullPolicy::Missing, Pulls},
    registry::{CuttingProxy, TestImage, image::unique, proxy::After},
};

use super::bench::{Bench, until};

const MIB: usize = 1024 * 1024;

/// As the engine above does: whatever is unavailable is asked for again.
async fn insist(pulls: &Pulls, image: &str) -> Result<(), RuntimeError> {
    for _ in 0..20 {
        match pulls.ensure(image, Missing, None).await {
            Err(error) if error.is_unavailable() => tokio::time::sleep(Duration::from_millis(200)).await,
            other => return other,
        }
    }
    Err(RuntimeError::unknown("still unavailable"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_down_is_waited_for() {
    let Some(mut bench) = Bench::open("a registry that is down") else { return };
    let image = bench.registry.put(&unique("down"), "1", &TestImage::of(&[1000]));
    let _images = bench.engine.images([&image]);
    bench.registry.stop();
    let pulls = bench.pulls();
    let error = pulls.ensure(&image, Missing, None).await.unwrap_err();
    let head = format!("cannot pull {image} from {}: the registry cannot be reached (", bench.registry.address());
    assert!(error.is_unavailable() && error.to_string().starts_with(&head), "{error}");
    assert_eq!(bench.told.stages().last(), Some(&Stage::Waiting { why: error.to_string() }));

    let (all, mine) = (bench.told.waits().len(), image.clone());
    let waiting = tokio::spawn(async move { insist(&pulls, &mine).await });
    until("it is tried again", || bench.told.waits().len() > all).await;
    bench.registry.start_again();
    waiting.await.unwrap().unwrap();
    assert!(bench.engine.has(&image));
    assert_eq!(bench.told.stages().last(), Some(&Stage::Done));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_breaks_off_comes_in_the_end() {
    let Some(bench) = Bench::open("a layer that breaks off") else { return };
    let proxy = CuttingProxy::start(bench.registry.address(), After::Cut(MIB));
    let repository = unique("cut");
    bench.registry.put(&repository, "1", &TestImage::of(&[4 * MIB]));
    let image = format!("{}/{repository}:1", proxy.address());
    let _images = bench.engine.images([&image]);
    let (pulls, mine) = (bench.pulls(), image.clone());
    let pulling = tokio::spawn(async move { insist(&pulls, &mine).await });
    until("the layer breaks off", || proxy.struck() > 0).await;
    assert!(!bench.engine.has(&image));
    proxy.set(After::Pass);
    pulling.await.unwrap().unwrap();
    assert!(bench.engine.has(&image));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_falls_silent_is_asked_for_again() {
    let Some(bench) = Bench::open("a layer that falls silent") else { return };
    let bench = bench.patient_for(Duration::from_secs(2));
    let proxy = CuttingProxy::start(bench.registry.address(), After::Silence(MIB));
    let repository = unique("silent");
    bench.registry.put(&repository, "1", &TestImage::of(&[4 * MIB]));
    let image = format!("{}/{repository}:1", proxy.address());
    let _images = bench.engine.images([&image]);
    let (pulls, mine) = (bench.pulls(), image.clone());
    let pulling = tokio::spawn(async move { insist(&pulls, &mine).await });
    let told = || bench.told.waits().iter().any(|why| why.contains("nothing has come for 2 s"));
    until("its silence is told", told).await;
    proxy.set(After::Pass);
    pulling.await.unwrap().unwrap();
    assert!(bench.engine.has(&image));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_nobody_waits_for_ends() {
    let Some(bench) = Bench::open("a pull that is given up") else { return };
    let proxy = CuttingProxy::start(bench.registry.address(), After::Crawl(MIB));
    let repository = unique("dropped");
    bench.registry.put(&repository, "1", &TestImage::of(&[8 * MIB]));
    let image = format!("{}/{repository}:1", proxy.address());
    let _images = bench.engine.images([&image]);
    let (pulls, mine) = (bench.pulls(), image.clone());
    let pulling = tokio::spawn(async move { pulls.ensure(&mine, Missing, None).await });
    until("it crawls", || proxy.struck() > 0).await;
    pulling.abort();
    assert!(pulling.await.unwrap_err().is_cancelled());
    assert!(matches!(bench.told.stages().last(), Some(Stage::Failed { .. })), "{:?}", bench.told.stages());
    // The engine notices when it next has something to say, long before the minute that the rest would take.
    until("the engine has given up", || proxy.open() == 0).await;
    assert!(proxy.passed() < 7 * MIB, "{}", proxy.passed());
    assert!(!bench.engine.has(&image));
}

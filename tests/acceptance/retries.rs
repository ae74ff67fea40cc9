//! G14: restarts are bounded, giving up blocks who depends on it with the reason, and a start by hand begins anew.

use std::{fs, time::Duration};

use orco::{
    model::{EventKind, State, Waiting},
    spec::{Check, RetryLimit, ServiceBuilder},
};

use crate::world::{World, rounds, sh, within};

fn quick(service: ServiceBuilder, retries: u32) -> ServiceBuilder {
    let (min, max) = (Duration::from_millis(2), Duration::from_millis(20));
    let service = service.health(Check::log("^ready"));
    service.backoff(min, max, 2.0).restart(|restart| restart.max_retries = RetryLimit::Limited(retries))
}

#[tokio::test]
async fn retries_used_up_block_the_dependents_until_somebody_starts_it() {
    for _ in 0..rounds(2) {
        let bad = sh("bad", "echo no luck; [ -e luck ] && echo ready && exec sleep 1000; exit 3");
        let world = World::new([
            quick(bad, 3),
            sh("web", "exec sleep 1000").depends_on("bad"),
            sh("edge", "exec sleep 1000").depends_on("web"),
            sh("other", "exec sleep 1000"),
        ]);
        world.begin().await;
        let starts = || world.events_of("bad", EventKind::ServiceStarting).len();

        let bad = world.until("bad", |s| s.state == State::Failed).await;
        assert!(bad.message.contains("exit code 3") && bad.message.contains("after 3 restarts"), "{}", bad.message);
        assert_eq!(starts(), 4, "one start and three retries");
        let web = world.until("web", |s| s.message.contains("exit code 3")).await;
        assert_eq!(web.state, State::Pending);
        let Some(Waiting::Gate { dep, state, .. }) = &web.waiting else { panic!("{:?}", web.waiting) };
        assert_eq!((dep.as_str(), *state), ("bad", State::Failed));
        assert_eq!(world.events_of("web", EventKind::ServiceBlocked).len(), 1);
        assert!(world.events_of("web", EventKind::ServiceStarting).is_empty());
        let why = world.engine.why("edge").await.unwrap();
        assert_eq!(why.root().service, *"bad");
        world.until("other", |s| s.ready).await;

        // A start by hand gives it all its tries again, no more.
        let ticket = world.engine.start("bad").await.unwrap();
        assert!(within(ticket.done()).await.is_err());
        assert_eq!(starts(), 8);

        fs::write(world.dir.path().join("luck"), "").unwrap();
        within(world.engine.start("bad").await.unwrap().done()).await.unwrap();
        within(world.engine.ready()).await.unwrap();
        assert_eq!(starts(), 9);
        assert_eq!(world.events_of("web", EventKind::ServiceStarting).len(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn an_exit_code_can_mean_never_again() {
    let never = |service: ServiceBuilder| quick(service, 5).restart(|r| r.no_restart_exit_codes = vec![9]);
    let world = World::new([
        never(sh("at-once", "exit 9")),
        never(sh("later", "mkdir tried 2>/dev/null && exit 1; exit 9")),
        sh("web", "exec sleep 1000").depends_on("at-once"),
    ]);
    world.begin().await;
    for (service, starts) in [("at-once", 1), ("later", 2)] {
        let failed = world.until(service, |s| s.state == State::Failed).await;
        assert!(failed.message.contains("exit code 9, the policy allows no restart"), "{}", failed.message);
        assert_eq!(world.events_of(service, EventKind::ServiceStarting).len(), starts);
    }
    world.until("web", |s| s.message.contains("exit code 9")).await;
    world.end().await;
}

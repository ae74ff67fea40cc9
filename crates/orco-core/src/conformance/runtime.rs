//! The kit for runtimes.

use super::{
    births, ends,
    fixture::Fixture,
    lab::Lab,
    report::{Report, Stop},
    speech,
};

/// Runs every clause of the contract of [`Runtime`](crate::runtime::Runtime) against the fixture's. The
/// runtime is not shut down.
pub async fn runtime(fixture: &dyn Fixture) -> Report {
    let lab = &Lab::new(fixture);
    let mut report = Report::default();
    macro_rules! check {
        ($name:literal, $case:expr) => {
            report.check($name, then_clean(lab, $case)).await;
        };
    }
    check!("exit codes are told", ends::exit_codes(lab));
    check!("signals are told apart from exit codes", ends::signals(lab));
    check!("wait may be called twice and after the end", ends::wait_again(lab));
    check!("concurrent waits all return", ends::concurrent_waits(lab));
    check!("a dropped wait changes nothing", ends::dropped_wait(lab));
    check!("the stop signal ends what obeys it", ends::graceful_stop(lab));
    check!("a stop right after the start works", ends::stop_at_once(lab));
    check!("stop may be called twice and after the end", ends::stop_again(lab));
    check!("kill ends what ignores the stop signal", ends::kill(lab));
    check!("kill ends children too", ends::kill_children(lab));
    check!("children that a main process leaves are ended", ends::left_children(lab));
    check!("signal reaches the main process", ends::signal(lab));
    check!("a start that fails did not happen", births::failed_start(lab));
    check!("a dropped start can be reaped", births::dropped_start(lab));
    check!("reap ends what runs, and may be called for nothing", births::reap(lab));
    check!("list has what is not removed and no others", births::list(lab));
    check!("a second client finds what runs and what has ended", births::again(lab));
    check!("remove may be called twice", births::remove(lab));
    check!("many starts at once", births::many(lab));
    check!("the fixture's services are valid", births::validate(lab));
    check!("all output is there from the first byte", speech::complete(lab));
    check!("output can be followed", speech::followed(lab));
    check!("exec runs commands", speech::exec(lab));
    check!("exec kills at the timeout", speech::exec_timeout(lab));
    check!("a dropped exec is killed", speech::exec_dropped(lab));
    report
}

async fn then_clean(lab: &Lab<'_>, case: impl Future<Output = Result<(), Stop>>) -> Result<(), Stop> {
    let result = case.await;
    let cleaned = lab.clean().await;
    result.and(cleaned)
}

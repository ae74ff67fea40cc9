//! What follows from the end of an instance.

use crate::{
    model::Exit,
    spec::{Condition, Kind, Restart, RetryLimit},
};

/// How a try ended, for the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The instance exited by itself.
    Exit(Exit),
    /// It could not be started, was not ready in time, or its liveness check failed: always a failure.
    Failure,
}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Next {
    /// Try again, as retry `attempt` (from 0).
    Retry {
        /// For the delay.
        attempt: u32,
    },
    /// No other try: the retries are used up.
    Exhausted,
    /// No other try: the policy says so.
    Forbidden,
    /// It is done, successfully.
    Completed,
}

/// Whether this exit is a success.
pub fn success(policy: &Restart, exit: Exit) -> bool {
    matches!(exit, Exit::Code(code) if policy.success_exit_codes.contains(&code))
}

/// What follows, given how many retries have been used since the count last began.
pub fn next(policy: &Restart, kind: Kind, end: End, used: u32) -> Next {
    let good = matches!(end, End::Exit(exit) if success(policy, exit));
    let barred = matches!(end, End::Exit(Exit::Code(code)) if policy.no_restart_exit_codes.contains(&code));
    if good && kind == Kind::Oneshot {
        return Next::Completed;
    }
    let again = !barred
        && match policy.condition {
            Condition::Always => true,
            Condition::OnFailure => !good,
            Condition::Never => false,
        };
    if !again {
        return if good { Next::Completed } else { Next::Forbidden };
    }
    match policy.max_retries {
        RetryLimit::Limited(limit) if used >= limit => Next::Exhausted,
        RetryLimit::Limited(_) | RetryLimit::Unlimited => Next::Retry { attempt: used },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brain::samples;

    fn check(condition: Condition, kind: Kind, end: End, used: u32, expect: Next) {
        let mut policy = samples::service("a").restart;
        policy.condition = condition;
        policy.max_retries = RetryLimit::Limited(2);
        policy.success_exit_codes = vec![0, 7];
        policy.no_restart_exit_codes = vec![9, 7];
        assert_eq!(next(&policy, kind, end, used), expect, "{condition:?} {kind:?} {end:?} {used}");
    }

    #[test]
    fn exits_conditions_and_limits() {
        use Condition::{Always, Never, OnFailure};
        use Kind::{Oneshot, Service};
        let code = |c| End::Exit(Exit::Code(c));
        let retry = |attempt| Next::Retry { attempt };
        check(Always, Service, code(0), 0, retry(0));
        check(Always, Service, code(1), 1, retry(1));
        check(Always, Service, code(1), 2, Next::Exhausted);
        check(Always, Service, code(9), 0, Next::Forbidden);
        check(Always, Service, code(7), 0, Next::Completed);
        check(Always, Oneshot, code(0), 0, Next::Completed);
        check(Always, Oneshot, code(7), 0, Next::Completed);
        check(OnFailure, Service, code(0), 0, Next::Completed);
        check(OnFailure, Service, End::Exit(Exit::Signal(9)), 0, retry(0));
        check(OnFailure, Oneshot, End::Exit(Exit::Unknown), 0, retry(0));
        check(OnFailure, Oneshot, End::Exit(Exit::Oom), 2, Next::Exhausted);
        check(Never, Service, code(0), 0, Next::Completed);
        check(Never, Service, End::Failure, 0, Next::Forbidden);
        check(OnFailure, Service, End::Failure, 0, retry(0));
        check(Always, Service, End::Failure, 2, Next::Exhausted);
    }
}

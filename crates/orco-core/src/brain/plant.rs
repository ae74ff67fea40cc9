//! Bugs to plant, one at a time: they test the simulator's checks. Without the feature `sim` every
//! question after one is a constant `false`.

/// A bug.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Plant {
    /// A verdict about an earlier instance of the seat counts.
    StaleVerdict,
    /// An exit of an earlier instance of the seat counts.
    StaleExit,
    /// A verdict of an earlier probe version counts.
    StaleVersion,
    /// One replica more than allowed may be missing.
    UnavailablePlusOne,
    /// One replica more than allowed may exist.
    SurgePlusOne,
    /// New replicas that are on their way are left out of the arithmetic.
    ComingLeftOut,
    /// `started` holds as soon as a start was asked for.
    GateOnIntention,
    /// The gate of a stopped dependency stays open while it still runs.
    GateOfLeaver,
    /// A stable time does not reset the count of failures.
    NoReset,
    /// One restart more than allowed.
    RetriesPlusOne,
    /// Failures count during the grace period.
    GraceIgnored,
    /// One pass is enough.
    SuccessThresholdIgnored,
    /// One failure is enough.
    FailureThresholdIgnored,
    /// The kill comes together with the stop signal.
    KillAtOnce,
    /// The kill never comes.
    KillForgotten,
    /// Stops do not wait for leaving dependents.
    StopUnordered,
    /// Restarts that were refused admission are not looked at again.
    StarvedForgotten,
    /// Restarts are admitted without limit.
    AdmissionIgnored,
    /// Dependents do not learn what happens to a service.
    DependentsNotDirty,
    /// Dependencies do not learn what happens to a service.
    DependenciesNotDirty,
    /// The end of a backoff wakes nobody.
    WakeForgotten,
    /// Starting a service again clears its total of restarts.
    RestartsReset,
    /// A start with unknown outcome is taken for one that failed.
    UnknownIsFailed,
    /// Delays are not kept below their maximum.
    BackoffUnbounded,
    /// A retired seat that is wanted again is used again while its instance ends.
    RetireUndone,
    /// A oneshot is run again whenever the stack is asked up.
    OneshotAgain,
    /// `decide` panics on the second service once it runs.
    Panic,
    /// Starts are carried out before their intent is written.
    IntentUnwritten,
    /// Starts go on while the journal cannot be written.
    StartsNotHeld,
    /// The keeper is told to forget an end before it is recorded.
    EndForgotten,
    /// An instance that nobody remembers is left alone.
    StrangerSpared,
    /// A start that never happened costs a retry.
    RetryAtRecovery,
    /// What ran and is not found any more is taken to run on.
    LostIgnored,
    /// A new engine counts its instances from the beginning.
    InstancesAgain,
    /// An order to end that an earlier engine gave is not given again.
    StopNotRepeated,
    /// A new engine forgets who has completed.
    CompletedForgotten,
    /// A new engine forgets who was ready.
    ReadinessForgotten,
    /// A new engine counts restarts from zero.
    TotalsForgotten,
    /// A new engine forgets the failures in a row.
    AttemptsForgotten,
    /// A new engine does not wait for the rest of a delay.
    DelayForgotten,
    /// A new engine tries again what was given up.
    HaltForgotten,
    /// A new engine wants everything up.
    GoalForgotten,
    /// After the machine was started anew, completed oneshots are not run again.
    OneshotsStay,
    /// What ended in a seat is not given to be remembered.
    ChangeForgotten,
    /// Containers are started without limit.
    PlacesIgnored,
    /// A start that failed keeps its place among those under way.
    PlaceKept,
    /// A new engine forgets which starts are under way.
    PlacesForgotten,
    /// A container engine that does not answer is taken for the end of its containers.
    OutageIsExit,
    /// A start that waits for its engine is counted as failed.
    HeldStartFails,
    /// What a container engine cannot tell of is taken to be gone.
    UnlistedStartedAgain,
    /// A start that was never answered, of an engine that cannot tell, is taken to have happened.
    UnlistedTakenForStarted,
    /// What ended while its engine could not tell is never looked at again.
    LateTruthForgotten,
    /// A container that came into being after it was given up is left there.
    LateBornForgotten,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 53] = [
        Self::StaleVerdict,
        Self::StaleExit,
        Self::StaleVersion,
        Self::UnavailablePlusOne,
        Self::SurgePlusOne,
        Self::ComingLeftOut,
        Self::GateOnIntention,
        Self::GateOfLeaver,
        Self::NoReset,
        Self::RetriesPlusOne,
        Self::GraceIgnored,
        Self::SuccessThresholdIgnored,
        Self::FailureThresholdIgnored,
        Self::KillAtOnce,
        Self::KillForgotten,
        Self::StopUnordered,
        Self::StarvedForgotten,
        Self::AdmissionIgnored,
        Self::DependentsNotDirty,
        Self::DependenciesNotDirty,
        Self::WakeForgotten,
        Self::RestartsReset,
        Self::UnknownIsFailed,
        Self::BackoffUnbounded,
        Self::RetireUndone,
        Self::OneshotAgain,
        Self::Panic,
        Self::IntentUnwritten,
        Self::StartsNotHeld,
        Self::EndForgotten,
        Self::StrangerSpared,
        Self::RetryAtRecovery,
        Self::LostIgnored,
        Self::InstancesAgain,
        Self::StopNotRepeated,
        Self::CompletedForgotten,
        Self::ReadinessForgotten,
        Self::TotalsForgotten,
        Self::AttemptsForgotten,
        Self::DelayForgotten,
        Self::HaltForgotten,
        Self::GoalForgotten,
        Self::OneshotsStay,
        Self::ChangeForgotten,
        Self::PlacesIgnored,
        Self::PlaceKept,
        Self::PlacesForgotten,
        Self::OutageIsExit,
        Self::HeldStartFails,
        Self::UnlistedStartedAgain,
        Self::UnlistedTakenForStarted,
        Self::LateTruthForgotten,
        Self::LateBornForgotten,
    ];
}

/// Which bug is planted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plants(#[cfg(any(test, feature = "sim"))] Option<Plant>);

impl Plants {
    /// Plants one.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) const fn one(plant: Plant) -> Self {
        Self(Some(plant))
    }

    /// Whether this one is planted.
    #[cfg(any(test, feature = "sim"))]
    #[inline]
    pub(crate) fn has(self, plant: Plant) -> bool {
        self.0 == Some(plant)
    }

    /// Whether this one is planted: never, outside simulations.
    #[cfg(not(any(test, feature = "sim")))]
    #[inline]
    pub(crate) const fn has(self, _: Plant) -> bool {
        false
    }
}

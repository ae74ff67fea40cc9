//! One pull, from the wish to the image, with its tries.

use std::time::Duration;

use orco_core::runtime::{RuntimeError, Stage};
use tokio::time::Instant;

use crate::{
    credentials::{Answer, Login},
    engine::PullOrder,
};

use super::{
    fault::{Fault, Lasting, Trouble, judge},
    meter::Meter,
    policy::PullPolicy,
    pulls::{Shop, Want},
    teller::Abandoned,
};

/// Before each further try. Whoever asked waits longer between its own.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// Pulls what is wanted, in its turn.
pub(super) async fn fly(shop: &Shop, want: &Want, policy: PullPolicy) -> Result<(), RuntimeError> {
    let image = want.image.written();
    let guard = Abandoned::guard(&shop.teller, image);
    let outcome = try_all(shop, want, policy).await;
    let stage = match &outcome {
        Ok(()) => Stage::Done,
        Err(error) if error.is_unavailable() => Stage::Waiting { why: error.chain() },
        Err(error) => Stage::Failed { why: error.chain() },
    };
    shop.teller.tell(image, stage);
    guard.ended();
    outcome
}

async fn try_all(shop: &Shop, want: &Want, policy: PullPolicy) -> Result<(), RuntimeError> {
    let image = want.image.written();
    // Asked in any case: the engine must have answered once before it has a name.
    let found = shop.look(want).await?;
    if policy != PullPolicy::Always && found.serves {
        return Ok(());
    }
    let subject = format!("{} {}", want.image, want.platform.as_deref().unwrap_or_default());
    let waits = || shop.teller.tell(image, Stage::Waiting { why: "another program is pulling it".to_owned() });
    let _turn = shop.turns.take(&shop.source.engine(), &subject, waits).await;
    if policy != PullPolicy::Always && shop.look(want).await?.serves {
        return Ok(());
    }
    let mut pauses = PAUSES.iter();
    loop {
        let (fault, login) = match attempt(shop, want).await? {
            Ok(()) => {
                shop.pulled(want);
                return Ok(());
            }
            Err(failed) => failed,
        };
        let error = error(want, fault, &login);
        match pauses.next() {
            Some(pause) if error.is_unavailable() => {
                tracing::debug!(image, error = %error, "pulling again after a pause");
                shop.teller.tell(image, Stage::Waiting { why: error.to_string() });
                tokio::time::sleep(*pause).await;
            }
            Some(_) | None => return Err(error),
        }
    }
}

/// One try; if the engine can be asked at all, what came of it.
async fn attempt(shop: &Shop, want: &Want) -> Result<Result<(), (Fault, Answer)>, RuntimeError> {
    let Some((name, tag)) = want.image.remote() else {
        return Err(RuntimeError::refused(format!("{} cannot be pulled: it is an id", want.image.written())));
    };
    // Never closed.
    let _permit = shop.permits.acquire().await.map_err(|_| RuntimeError::unavailable("pulls have ended"))?;
    let image = want.image.written();
    shop.teller.tell(image, Stage::Running { done: 0, total: None });
    let answer = shop.credentials.find(&want.image).await;
    let order = PullOrder { name, tag, platform: want.platform.as_deref(), login: answer.login.as_ref() };
    let mut meter = Meter::default();
    let mut line = |line| {
        if let Some(sum) = meter.read(&line, Instant::now().into_std()) {
            shop.teller.tell(image, Stage::Running { done: sum.done, total: sum.total });
        }
    };
    if let Err(trouble) = shop.source.pull(order, &mut line).await {
        return Ok(Err((judge(&trouble), answer)));
    }
    // The engine may say that all went well after a pull of another platform, and one that misses an error among the
    // lines would take its end for success.
    let found = shop.look(want).await?;
    Ok(match found.other {
        _ if found.serves => Ok(()),
        Some(is) => Err((Fault::Lasting(Lasting::Platform, format!("what came is for {is}")), answer)),
        None => Err((judge(&Trouble::Nothing), answer)),
    })
}

fn error(want: &Want, fault: Fault, asked: &Answer) -> RuntimeError {
    let head = format!("cannot pull {} from {}", want.image.written(), want.image.registry().unwrap_or("anywhere"));
    let said = |words: String| asked.login.as_ref().map_or_else(|| words.clone(), |l| l.secret().hide_in(&words));
    match fault {
        Fault::Passing(why) => RuntimeError::unavailable(format!("{head}: {}", said(why))),
        Fault::Lasting(what, words) => {
            let why = match (what, &want.platform) {
                (Lasting::AbsentOrDenied, _) => {
                    format!("no such image or no access to it ({}; asked {})", said(words), as_whom(asked))
                }
                (Lasting::Platform, Some(wanted)) => format!("it has no image for {wanted} ({})", said(words)),
                (Lasting::Platform, None) => format!("it has no image for the engine's platform ({})", said(words)),
                (Lasting::Registry, _) => format!("the registry cannot be used as it is set up ({})", said(words)),
            };
            RuntimeError::refused(format!("{head}: {why}"))
        }
    }
}

fn as_whom(asked: &Answer) -> String {
    let whom = match &asked.login {
        Some(Login::Password { user, .. }) => format!("as `{user}`"),
        Some(Login::IdentityToken(_)) => "with a token".to_owned(),
        None => "without a login".to_owned(),
    };
    match &asked.trouble {
        Some(trouble) => format!("{whom}, for {trouble}"),
        None => whom,
    }
}

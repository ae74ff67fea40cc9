//! An event as one line for people.

use orco_api::wire::Event;

use super::{Ink, Paint, printable};

/// `12:00:01 api/0 ServiceReady ready`.
pub fn event(event: &Event, paint: Paint) -> String {
    let time = event.ts.to_string();
    let clock = time.get(11..23).unwrap_or(&time);
    let who = match (&event.service, event.replica) {
        (Some(service), Some(replica)) => format!("{service}/{replica}"),
        (Some(service), None) => service.clone(),
        (None, _) => "-".to_owned(),
    };
    let ink = match event.kind.as_str() {
        "ServiceReady" | "ServiceCompleted" | "StackReady" | "Promoted" => Ink::Good,
        "ServiceCrashed" | "ServiceFailed" | "KeeperLost" | "HookFailed" | "Aborted" => Ink::Bad,
        "ServiceBlocked" | "ServiceUnready" | "ServiceRestarting" => Ink::Busy,
        _ => Ink::Plain,
    };
    let mut text = format!("{} {who} {}", paint.ink(Ink::Faint, clock), paint.ink(ink, printable(&event.kind)));
    if !event.message.is_empty() {
        text.push(' ');
        text.push_str(&printable(&event.message));
    }
    if let Some(reason) = event.reason.as_ref().filter(|r| !event.message.contains(r.as_str())) {
        text.push_str(&format!(" ({})", printable(reason)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn events() {
        let text: Vec<_> = samples::events().iter().map(|e| event(e, Paint(false))).collect();
        insta::assert_snapshot!(text.join("\n"));
    }
}

//! An event as one line for people.

use orco_api::wire::Event;

use super::{Ink, Paint, printable};

/// `12:00:01 api/0 ServiceReady ready`.
pub fn event(event: &Event, paint: Paint) -> String {
    let kind = paint.ink(event_ink(event), printable(&event.kind));
    let mut text = format!("{} {} {kind}", paint.ink(Ink::Faint, event_clock(event)), event_subject(event));
    let said = event_words(event);
    if !said.is_empty() {
        text.push(' ');
        text.push_str(&printable(&said));
    }
    text
}

/// The time of day, with milliseconds.
pub fn event_clock(event: &Event) -> String {
    let time = event.ts.to_string();
    time.get(11..23).unwrap_or(&time).to_owned()
}

/// Whom it is about: `api/0`, `api`, or `-` for the stack.
pub fn event_subject(event: &Event) -> String {
    match (&event.service, event.replica) {
        (Some(service), Some(replica)) => format!("{service}/{replica}"),
        (Some(service), None) => service.clone(),
        (None, _) => "-".to_owned(),
    }
}

/// How much it weighs.
pub fn event_ink(event: &Event) -> Ink {
    match event.kind.as_str() {
        "ServiceReady" | "ServiceCompleted" | "StackReady" | "Promoted" => Ink::Good,
        "ServiceCrashed" | "ServiceFailed" | "KeeperLost" | "HookFailed" | "Aborted" => Ink::Bad,
        "ServiceBlocked" | "ServiceUnready" | "ServiceRestarting" => Ink::Busy,
        _ => Ink::Plain,
    }
}

/// Its message, and its reason where the message has it not. As it came.
pub fn event_words(event: &Event) -> String {
    let mut text = event.message.clone();
    if let Some(reason) = event.reason.as_ref().filter(|r| !event.message.contains(r.as_str())) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&format!("({reason})"));
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

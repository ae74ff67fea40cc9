//! What is asked or typed at the bottom of the screen.

use super::{
    keys::{self, Action, Context, Key},
    news::Request,
};
use ratatui::crossterm::event::KeyCode;

/// The longest text that can be typed, in characters.
const LONGEST: usize = 200;

/// A question or an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dialog {
    /// Yes or no?
    Confirm {
        /// The question.
        text: String,
        /// What yes does.
        yes: Answer,
    },
    /// A line of text.
    Input {
        /// What for.
        purpose: Purpose,
        /// So far.
        text: String,
        /// It is only offered: what is typed takes its place.
        offered: bool,
    },
}

/// What a yes does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// This is done.
    Do(Request),
    /// The stack of a foreground `up` is stopped.
    StopStack,
}

/// What a line is typed for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The filter of the table; what it was before.
    Filter(String),
    /// The number of replicas of a service.
    Scale(String),
    /// A signal to a service, or one replica of it.
    Signal(String, Option<u32>),
}

impl Purpose {
    /// What stands before the text.
    pub fn label(&self) -> String {
        match self {
            Self::Filter(_) => "/".to_owned(),
            Self::Scale(service) => format!("replicas of {service}: "),
            Self::Signal(service, None) => format!("signal to {service}: "),
            Self::Signal(service, Some(replica)) => format!("signal to {service}/{replica}: "),
        }
    }
}

/// What became of a dialog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// It goes on; the text may have changed.
    On(Dialog),
    /// No, or left.
    Left(Dialog),
    /// Yes.
    Yes(Answer),
    /// Typed to its end.
    Typed(Purpose, String),
}

impl Dialog {
    /// A key for it.
    pub fn key(self, key: Key) -> Reply {
        match self {
            Self::Confirm { text, yes } => match keys::action(Context::Question, key) {
                Some(Action::Yes) => Reply::Yes(yes),
                Some(Action::No) => Reply::Left(Self::Confirm { text, yes }),
                _ => Reply::On(Self::Confirm { text, yes }),
            },
            Self::Input { purpose, mut text, mut offered } => {
                match (keys::action(Context::Typing, key), key) {
                    (Some(Action::Enter), _) => return Reply::Typed(purpose, text),
                    (Some(Action::Back), _) => return Reply::Left(Self::Input { purpose, text, offered }),
                    (Some(Action::Erase), _) => {
                        text.pop();
                        offered = false;
                    }
                    (Some(Action::Clear), _) => text.clear(),
                    (_, Key { code: KeyCode::Char(c), ctrl: false }) => type_in(&mut text, &mut offered, c),
                    _ => {}
                }
                Reply::On(Self::Input { purpose, text, offered })
            }
        }
    }

    /// A text that was pasted.
    #[must_use]
    pub fn paste(mut self, pasted: &str) -> Self {
        if let Self::Input { text, offered, .. } = &mut self {
            pasted.lines().next().unwrap_or_default().chars().for_each(|c| type_in(text, offered, c));
        }
        self
    }
}

fn type_in(text: &mut String, offered: &mut bool, c: char) {
    if c.is_control() {
        return;
    }
    if std::mem::take(offered) {
        text.clear();
    }
    if text.chars().count() < LONGEST {
        text.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(dialog: Dialog, keys: &[KeyCode]) -> Reply {
        let mut reply = Reply::On(dialog);
        for code in keys {
            reply = match reply {
                Reply::On(dialog) => dialog.key(Key { code: *code, ctrl: false }),
                done => return done,
            };
        }
        reply
    }

    #[test]
    fn typed_erased_and_taken() {
        let purpose = Purpose::Scale("api".into());
        let input = Dialog::Input { purpose: purpose.clone(), text: "2".into(), offered: true };
        let (back, enter) = (KeyCode::Backspace, KeyCode::Enter);
        let reply = press(input.clone(), &[back, back, KeyCode::Char('1'), KeyCode::Char('7'), back, enter]);
        assert_eq!(reply, Reply::Typed(purpose.clone(), "1".into()));
        for (keys, typed) in [(&[enter][..], "2"), (&[KeyCode::Char('4'), KeyCode::Char('0'), enter], "40")] {
            assert_eq!(press(input.clone(), keys), Reply::Typed(purpose.clone(), typed.into()), "what is offered");
        }
        assert_eq!(press(input.clone(), &[KeyCode::Esc]), Reply::Left(input));
    }

    #[test]
    fn what_is_pasted_is_one_short_line() {
        let input = Dialog::Input { purpose: Purpose::Filter(String::new()), text: String::new(), offered: false };
        let Dialog::Input { text, .. } = input.paste(&format!("a\x1b[2J{}\nnext", "x".repeat(500))) else { return };
        assert_eq!(text.chars().count(), LONGEST);
        assert!(text.starts_with("a[2Jxx"));
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        let confirm = Dialog::Confirm { text: "?".into(), yes: Answer::StopStack };
        assert_eq!(press(confirm.clone(), &[KeyCode::Char('x'), KeyCode::Char('y')]), Reply::Yes(Answer::StopStack));
        assert_eq!(press(confirm.clone(), &[KeyCode::Esc]), Reply::Left(confirm));
    }
}

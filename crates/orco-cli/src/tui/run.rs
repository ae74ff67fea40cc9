//! The loop: keys, signals, news and time go in, effects are carried out, and what has changed is drawn.

use std::{io, time::Duration};

use futures::StreamExt;
use nix::{
    sys::signal::{self, Signal as Posix},
    unistd::Pid,
};
use orco_api::{client::Client, wire::Timestamp};
use ratatui::crossterm::event::{Event, EventStream};
use tokio::{
    signal::unix::{Signal as Stream, SignalKind, signal as catch},
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    app::{App, Home, Input},
    link::Link,
    news::{Effect, Ended, News},
    pane::clipboard,
    screen::Screen,
    theme::{Role, Theme},
    view,
};
use crate::signals::{Signal, Signals};

/// At least so long from frame to frame.
const FRAME: Duration = Duration::from_millis(33);
/// Ages are shown in seconds.
const TICK: Duration = Duration::from_secs(1);
/// How long a suspension may take to happen; nothing happens where no shell could end it.
const STOPPING: Duration = Duration::from_millis(250);

/// What is settled before it begins.
#[derive(Debug)]
pub struct Options {
    /// Of the stack.
    pub client: Client,
    /// Whose stack it is.
    pub home: Home,
    /// Nothing may be changed.
    pub read_only: bool,
    /// How it looks.
    pub theme: Theme,
}

/// What the program around it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// The stack is being stopped.
    Stopping,
    /// It is over.
    Over,
}

/// Shows the stack until the user leaves or the stack has ended. `signals`: those that end it. `words`: what the program
/// around it says.
///
/// # Errors
/// When the terminal is gone or does not obey.
pub async fn run(
    options: Options,
    mut signals: Option<Signals>,
    mut words: Option<mpsc::Receiver<Word>>,
) -> io::Result<Ended> {
    let mut continued = catch(SignalKind::from_raw(Posix::SIGCONT as i32))?;
    let mut keys = EventStream::new();
    let screen = Screen::enter()?;
    let (link, mut news) = Link::open(options.client);
    let app = App::new(options.home, options.read_only);
    let mut shell = Shell { app, screen, link, theme: options.theme, changed: true, next_frame: Instant::now() };
    let mut next_tick = Instant::now() + TICK;
    loop {
        shell.frame()?;
        // All arms are cancel-safe: streams, channels and signals keep what was not taken. Keys come before frames, and
        // frames before news: a flood of news delays neither.
        let input = tokio::select! {
            biased;
            event = keys.next() => match event {
                Some(Ok(event)) => of_terminal(event),
                Some(Err(error)) => return Err(error),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            },
            signal = next(&mut signals) => match signal {
                Signal::Interrupt => return Ok(Ended::Interrupted),
                Signal::Terminate | Signal::Hangup => return Ok(Ended::Signalled),
            },
            word = said(&mut words) => match word {
                Some(Word::Stopping) => Some(Input::Stopping),
                Some(Word::Over) | None => return Ok(Ended::Down(true)),
            },
            _ = continued.recv() => {
                shell.screen.resume()?;
                shell.changed = true;
                None
            }
            () = sleep_until(shell.next_frame), if shell.changed => None,
            () = sleep_until(next_tick) => {
                next_tick = Instant::now() + TICK;
                Some(Input::Tick)
            }
            piece = news.recv() => piece.map(of_link),
        };
        let Some(input) = input else { continue };
        shell.changed = true;
        let effects = shell.app.update(input, Timestamp::now());
        if let Some(wake) = shell.app.wake() {
            next_tick = next_tick.min(Instant::now() + wake);
        }
        for effect in effects {
            if let Some(end) = shell.carry_out(effect, &mut continued).await? {
                return Ok(end);
            }
        }
    }
}

const fn of_link(news: News) -> Input {
    Input::News(news)
}

fn of_terminal(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) => Some(Input::Key(key)),
        Event::Mouse(mouse) => Some(Input::Mouse(mouse)),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(width, height) => Some(Input::Resize(width, height)),
        Event::FocusGained | Event::FocusLost => None,
    }
}

/// The next signal, if they are for us.
async fn next(signals: &mut Option<Signals>) -> Signal {
    match signals {
        Some(signals) => signals.next().await,
        None => std::future::pending().await,
    }
}

/// The next word, if there is somebody to say one. `None`: there is not any more.
async fn said(words: &mut Option<mpsc::Receiver<Word>>) -> Option<Word> {
    match words {
        Some(words) => words.recv().await,
        None => std::future::pending().await,
    }
}

struct Shell {
    app: App,
    screen: Screen,
    link: Link,
    theme: Theme,
    changed: bool,
    next_frame: Instant,
}

impl Shell {
    /// Draws, if there is something new and the last frame is old enough.
    fn frame(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if !self.changed || now < self.next_frame {
            return Ok(());
        }
        let size = self.screen.size()?;
        if (size.width, size.height) != (self.app.screen.width, self.app.screen.height) {
            // A new size has no effects.
            let _ = self.app.update(Input::Resize(size.width, size.height), Timestamp::now());
        }
        self.screen.draw(|buf| view::draw(&mut self.app, buf, &self.theme))?;
        self.changed = false;
        self.next_frame = now + FRAME;
        Ok(())
    }

    async fn carry_out(&mut self, effect: Effect, continued: &mut Stream) -> io::Result<Option<Ended>> {
        match effect {
            Effect::Ask(question) => self.link.ask(question),
            Effect::Do(request) => self.link.carry_out(request),
            Effect::Follow(number, query) => self.link.follow(number, *query),
            Effect::Copy(text) => {
                let in_tmux = std::env::var_os("TMUX").is_some();
                self.screen.pass(&clipboard(&text, in_tmux))?;
            }
            Effect::Save { path, text, replace } => self.link.save(path, text, replace),
            Effect::Interrupt => {
                // Exactly what Ctrl-C would do if the terminal still made a signal of it.
                if let Err(error) = signal::kill(Pid::this(), Posix::SIGINT) {
                    self.app.say(Role::Bad, format!("cannot interrupt: {error}"));
                }
            }
            Effect::Suspend => self.suspend(continued).await?,
            Effect::Ground(ground) => self.theme.ground = ground.unwrap_or(self.theme.ground.other()),
            Effect::Redraw => self.screen.clear()?,
            Effect::End(end) => return Ok(Some(end)),
        }
        Ok(None)
    }

    /// Gives the terminal back and stops, with all that was started together with us.
    async fn suspend(&mut self, continued: &mut Stream) -> io::Result<()> {
        self.screen.pause();
        if signal::kill(Pid::from_raw(0), Posix::SIGTSTP).is_ok() {
            // Another thread may be the one that the signal stops, a moment later. Without a shell that could continue
            // us, the system ignores it.
            let _ = timeout(STOPPING, continued.recv()).await;
        }
        // A shell that has just continued us may still be setting up the terminal.
        sleep(Duration::from_millis(10)).await;
        self.screen.resume()
    }
}

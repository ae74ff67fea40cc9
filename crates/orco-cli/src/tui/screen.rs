//! The terminal: taken, and given back whatever happens.

use std::{
    io::{self, BufWriter, Stdout, Write},
    panic,
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
};

use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    buffer::Buffer,
    crossterm::{
        cursor::{Hide, Show},
        event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
        execute, queue,
        terminal::{
            BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
            disable_raw_mode, enable_raw_mode,
        },
    },
    layout::{Rect, Size},
};

/// Whether the terminal is ours at this moment.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Who draws.
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);
/// What others said in their panics while the terminal was ours.
static HELD_BACK: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The terminal, as long as this lives. It is given back when this is dropped, and when its thread panics.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When it is none, or does not obey.
    pub fn enter() -> io::Result<Self> {
        hold_panics();
        *OWNER.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
        let out = BufWriter::with_capacity(64 << 10, io::stdout());
        let screen = Self { terminal: Terminal::new(CrosstermBackend::new(out))? };
        take()?;
        Ok(screen)
    }

    /// How large it is.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    /// Draws a frame: what has changed since the last one is written, at once.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        // Terminals that know it show the frame when it is whole; the others take no notice.
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| draw(frame.buffer_mut()))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Whatever is on the screen, the next frame is drawn whole.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn clear(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Gives the terminal back for a while.
    pub fn pause(&mut self) {
        give_back();
    }

    /// Takes it again, also where somebody else has set it up anew meanwhile.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        // What it was set to before is what shall come back in the end, not what the shell left us with.
        give_back();
        take()?;
        self.clear()
    }

    /// Writes what is no part of a frame: a sequence for the terminal that we made ourselves.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn pass(&mut self, sequence: &str) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        out.write_all(sequence.as_bytes())?;
        io::Write::flush(out)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
        *OWNER.lock().unwrap_or_else(PoisonError::into_inner) = None;
        for panic in std::mem::take(&mut *HELD_BACK.lock().unwrap_or_else(PoisonError::into_inner)) {
            crate::terminal::note(panic);
        }
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let taken = execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, Hide);
    if taken.is_err() {
        give_back();
    }
    taken
}

/// Once for each [`take`]. Where the terminal is gone, nobody is there to see what is left of us.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

/// The terminal takes nothing, and we go: gives back what needs no word to it, that it makes lines of what is typed.
pub fn abandon() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = disable_raw_mode();
    }
}

/// A panic of the thread that draws gives the terminal back before it says why. Those of other threads wait until
/// then: their words would be lost, and spoil the picture.
fn hold_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let owner = OWNER.try_lock().ok().and_then(|owner| *owner);
            if TAKEN.load(Ordering::SeqCst) && owner.is_some_and(|owner| owner != thread::current().id()) {
                let mut held = HELD_BACK.lock().unwrap_or_else(PoisonError::into_inner);
                if held.len() < 100 {
                    held.push(format!("{info}\n"));
                }
                return;
            }
            give_back();
            before(info);
        }));
    });
}

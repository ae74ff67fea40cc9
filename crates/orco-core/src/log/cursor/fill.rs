//! From segment to segment: where a cursor's bytes come from.

use std::io;

use super::Cursor;
use crate::log::{
    gone::Gone,
    line::Step,
    segment::{Segment, Summary},
};

impl Cursor {
    /// Brings the next bytes into the buffer, or says that there are none.
    pub(super) fn fill(&mut self) -> io::Result<Step> {
        loop {
            let Some(segment) = &mut self.segment else {
                match self.open_next()? {
                    Step::Line => continue,
                    step => return Ok(step),
                }
            };
            (self.pos, self.section_end) = (0, 0);
            match segment.fill(&mut self.buf) {
                Ok(0) => {}
                Ok(_) => {
                    self.offset = segment.end();
                    return Ok(Step::Line);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if self.jump()? {
                        return Ok(Step::Line);
                    }
                    return Ok(if self.ended { Step::End } else { Step::Idle });
                }
                Err(error) => return Err(error),
            }
            if segment.closed || self.ended {
                segment.load_entries(u64::MAX)?;
                if self.gap_is_due() {
                    return Ok(Step::Line);
                }
            }
            if self.pass_on()? {
                continue;
            }
            return Ok(if self.ended { Step::End } else { Step::Idle });
        }
    }

    /// At the end of what is in the segment: turns to the next one if there is one. False: this is the
    /// last.
    fn pass_on(&mut self) -> io::Result<bool> {
        let Some(segment) = &mut self.segment else { return Ok(false) };
        if segment.closed {
            self.next = segment.n + 1;
            self.segment = None;
            return Ok(true);
        }
        // What was written before the next segment appeared must still be read: hence once more.
        let next = [self.stem.idx(segment.n + 1), self.stem.log(segment.n + 1)];
        segment.closed = self.dir.join(&next[0]).try_exists()? || self.dir.join(&next[1]).try_exists()?;
        if segment.closed {
            return Ok(true);
        }
        segment.release();
        self.jump()
    }

    /// Opens the segment that follows. `Line`: go on.
    fn open_next(&mut self) -> io::Result<Step> {
        if let Some(mut segment) = Segment::open(&self.dir, self.stem, self.next)? {
            if segment.begin > self.offset {
                // Whoever wrote it lost something in between, and knew how much.
                self.report_gap(segment.begin - self.offset);
            }
            self.offset = segment.begin;
            if let Some((_, at)) = self.seek.take().filter(|(n, _)| *n == segment.n) {
                (self.stderr, self.micros) = segment.seek(at)?;
                self.offset = at;
            }
            self.segment = Some(segment);
            self.buf.clear();
            (self.pos, self.section_end) = (0, 0);
            return Ok(Step::Line);
        }
        if self.jump()? {
            return Ok(Step::Line);
        }
        Ok(if self.ended { Step::End } else { Step::Idle })
    }

    /// Goes to what is left, if retention has passed by, and reports what was missed.
    fn jump(&mut self) -> io::Result<bool> {
        let gone = Gone::read(&self.dir, self.stem)?;
        if gone.next <= self.segment.as_ref().map_or(self.next, |s| s.n) {
            return Ok(false);
        }
        self.segment = None;
        self.next = gone.next;
        if gone.bytes <= self.offset && gone.lines <= self.seq {
            // Read before it was deleted: nothing was missed.
            return Ok(true);
        }
        if let Some(Summary { first_micros: Some(micros), .. }) = Summary::read(&self.dir, self.stem, gone.next)? {
            self.micros = micros;
        }
        let from = self.seq.max(self.skip_below_seq);
        if gone.lines > from {
            self.report_dropped(from, gone.lines - from);
        }
        self.buf.clear();
        (self.pos, self.section_end) = (0, 0);
        (self.offset, self.seq) = (gone.bytes, gone.lines);
        self.behead(gone.open);
        Ok(true)
    }
}

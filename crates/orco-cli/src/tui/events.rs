//! The event list's own state: whose events, which is selected, which part is seen.

use orco_api::wire::Event;

use super::model::Model;

/// What the view remembers. Events are known by their number, so that nothing moves when old ones are forgotten.
#[derive(Clone, Debug, Default)]
pub struct EventsView {
    everybody: bool,
    /// None: the last one, whichever that is.
    cursor: Option<u64>,
    top: u64,
    open: bool,
    /// Of which event how many lines are above those that are seen.
    scrolled: (u64, usize),
}

impl EventsView {
    /// Whether those of all services are shown, whatever is selected in the table.
    pub const fn is_of_everybody(&self) -> bool {
        self.everybody
    }

    /// Whether the list goes along with what comes.
    pub const fn follows(&self) -> bool {
        self.cursor.is_none()
    }

    /// Whether all of the selected event is shown.
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// Those of the selected service, or of all.
    pub fn turn(&mut self) {
        self.everybody = !self.everybody;
    }

    /// Shows all of the selected event, or no more.
    pub fn turn_open(&mut self) {
        self.open = !self.open;
    }

    /// The events that are listed, oldest first.
    pub fn listed<'a>(&self, model: &'a Model, service: Option<&str>) -> Vec<&'a Event> {
        let service = service.filter(|_| !self.everybody);
        let fits = |event: &&Event| service.is_none_or(|name| event.service.as_deref() == Some(name));
        model.events.iter().filter(fits).collect()
    }

    /// The place of the selected one among those that are listed.
    pub fn place(&self, listed: &[&Event]) -> usize {
        let last = listed.len().saturating_sub(1);
        self.cursor.map_or(last, |cursor| listed.partition_point(|event| event.seq < cursor).min(last))
    }

    /// The place of the first one that is seen, in so many rows.
    pub fn first(&self, listed: &[&Event], height: usize) -> usize {
        let most = listed.len().saturating_sub(height);
        if self.follows() { most } else { listed.partition_point(|event| event.seq < self.top).min(most) }
    }

    /// Moves the selection. Beyond the last, the list follows again.
    pub fn step(&mut self, listed: &[&Event], by: isize, height: usize) {
        let first = self.first(listed, height);
        let next = self.place(listed).saturating_add_signed(by);
        self.cursor = if next >= listed.len() { None } else { listed.get(next).map(|event| event.seq) };
        self.top = listed.get(first).map_or(0, |event| event.seq);
        self.show(listed, height);
    }

    /// Selects the one in this row of the window.
    pub fn select(&mut self, listed: &[&Event], row: usize, height: usize) {
        let first = self.first(listed, height);
        if let Some(event) = listed.get(first + row) {
            self.cursor = Some(event.seq);
            self.top = listed.get(first).map_or(0, |event| event.seq);
        }
    }

    /// How many lines of this event, while it is open, are above those that are seen.
    pub const fn scrolled(&self, event: &Event) -> usize {
        if self.scrolled.0 == event.seq { self.scrolled.1 } else { 0 }
    }

    /// Moves within the selected event, of which `most` lines can be above those that are seen. What is read stays,
    /// whatever comes.
    pub fn scroll(&mut self, listed: &[&Event], by: isize, most: usize, height: usize) {
        let Some(event) = listed.get(self.place(listed)) else { return };
        let to = self.scrolled(event).min(most).saturating_add_signed(by).min(most);
        if most > 0 && self.follows() {
            self.top = listed.get(self.first(listed, height)).map_or(0, |event| event.seq);
            self.cursor = Some(event.seq);
        }
        self.scrolled = (event.seq, to);
    }

    /// Brings the selection into a window of so many rows.
    pub fn show(&mut self, listed: &[&Event], height: usize) {
        if self.follows() {
            return;
        }
        let at = self.place(listed);
        let lowest = (at + 1).saturating_sub(height.max(1));
        let top = self.first(listed, height).clamp(lowest, at.max(lowest));
        self.top = listed.get(top).map_or(0, |event| event.seq);
    }
}

/// How many rows of an area are for the list, and how many for the event that is open.
pub const fn split(height: u16, open: bool) -> (u16, u16) {
    match (open, height) {
        (false, _) => (height, 0),
        (true, 0..6) => (0, height),
        (true, _) => (height - height * 3 / 5, height * 3 / 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{model::EVENTS, samples};

    fn model(events: std::ops::Range<u64>) -> Model {
        let mut model = Model::default();
        model.take_events(events.map(samples::event).collect());
        model
    }

    #[test]
    fn it_follows_until_it_is_moved_and_again_from_the_end_on() {
        let mut model = model(0..100);
        let mut view = EventsView::default();
        let seen = |view: &EventsView, model: &Model| {
            let listed = view.listed(model, None);
            let first = view.first(&listed, 10);
            (listed[first].seq, listed[view.place(&listed)].seq)
        };
        assert_eq!(seen(&view, &model), (90, 99));
        view.step(&view.clone().listed(&model, None), -1, 10);
        assert_eq!((seen(&view, &model), view.follows()), ((90, 98), false));
        model.take_events((100..200).map(samples::event).collect());
        assert_eq!(seen(&view, &model), (90, 98), "what is read stays");
        view.step(&view.clone().listed(&model, None), -20, 10);
        assert_eq!(seen(&view, &model), (78, 78));
        view.step(&view.clone().listed(&model, None), isize::MAX, 10);
        assert_eq!((seen(&view, &model), view.follows()), ((190, 199), true));
    }

    #[test]
    fn what_is_forgotten_moves_nothing_that_is_left() {
        let mut model = model(0..50);
        let mut view = EventsView::default();
        view.step(&view.clone().listed(&model, None), -10, 5);
        let kept = EVENTS as u64;
        model.take_events((50..kept + 20).map(samples::event).collect());
        let listed = view.listed(&model, None);
        assert_eq!((listed.len(), listed[view.place(&listed)].seq), (EVENTS, 39));
        model.take_events((kept + 20..kept + 90).map(samples::event).collect());
        let listed = view.listed(&model, None);
        assert_eq!(view.place(&listed), 0, "it is gone: the oldest there is");
        view.show(&listed, 5);
        assert_eq!(view.first(&listed, 5), 0);
    }

    #[test]
    fn those_of_one_service_or_of_all() {
        let mut model = Model::default();
        model.take_events(samples::events());
        let mut view = EventsView::default();
        assert_eq!(view.listed(&model, Some("worker")).len(), 2);
        assert_eq!(view.listed(&model, None).len(), 6);
        view.turn();
        assert_eq!(view.listed(&model, Some("worker")).len(), 6);
        assert!(view.listed(&Model::default(), None).is_empty());
        view.step(&[], -3, 5);
        view.show(&[], 0);
    }

    #[test]
    fn what_is_read_of_an_open_event_stays() {
        let mut model = model(0..3);
        let mut view = EventsView::default();
        view.turn_open();
        view.scroll(&view.clone().listed(&model, None), 5, 0, 1);
        assert!(view.follows(), "there was nothing to scroll");
        view.scroll(&view.clone().listed(&model, None), 5, 7, 1);
        model.take_events((3..9).map(samples::event).collect());
        let listed = view.listed(&model, None);
        assert_eq!((listed[view.place(&listed)].seq, view.scrolled(listed[2]), view.scrolled(listed[3])), (2, 5, 0));
        let mut after = view.clone();
        after.scroll(&listed, isize::MAX, 7, 1);
        assert_eq!(after.scrolled(listed[2]), 7);
        // It was more before the screen has changed.
        after.scroll(&listed, -1, 4, 1);
        assert_eq!(after.scrolled(listed[2]), 3);
        after.scroll(&listed, isize::MIN, 4, 1);
        assert_eq!(after.scrolled(listed[2]), 0);
        after.scroll(&[], 1, 4, 1);
    }

    #[test]
    fn both_parts_together_are_the_whole() {
        for height in 0..200 {
            for open in [true, false] {
                let (list, rest) = split(height, open);
                assert_eq!(list + rest, height);
            }
        }
    }
}

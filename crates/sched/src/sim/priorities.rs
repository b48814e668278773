//! The priorities of tasks under a schedule that finds rare orders: [`Priorities`].

use std::collections::BTreeMap;

use yamanote_world::{ChoiceKind, World};

/// Drawn priorities lie above those that tasks sink to.
const DRAWN_MAX: u64 = 1 << 32;
/// A task that is polled so often in a row while others wait has to let them go first: with
/// priorities alone, one that yields in a loop would be the only one to run.
const IN_A_ROW_MAX: u32 = 200;
/// What a draw of [`ChoiceKind::PriorityChange`] is below: 4 bits of exponent, 16 of mantissa.
const CHANGE_MAX: u64 = 16 << 16;

/// Who goes first.
#[derive(Debug, Default)]
pub(super) struct Priorities {
    /// By the world's number of the task. One entry for each task that ever ran: a word or two.
    of: BTreeMap<u64, i64>,
    /// How many changes are still to come, after the next one.
    changes_left: u32,
    /// Polls until the next change; `None` is never.
    until_change: Option<u64>,
    /// What the last task sank to.
    lowest: i64,
    last: Option<u64>,
    in_a_row: u32,
    began: bool,
}

impl Priorities {
    /// For orders of `depth` events.
    pub(super) fn new(depth: u32) -> Self {
        Self {
            changes_left: depth.saturating_sub(1),
            ..Self::default()
        }
    }

    /// The place of the task that goes first; of equals, the one before.
    pub(super) fn choose(
        &mut self,
        numbers: impl Iterator<Item = u64> + Clone,
        world: &World,
    ) -> Option<usize> {
        if !std::mem::replace(&mut self.began, true) {
            self.plan_change(world);
        }
        for number in numbers.clone() {
            self.of.entry(number).or_insert_with(|| {
                let drawn = world.choose(ChoiceKind::Priority, DRAWN_MAX);
                i64::try_from(drawn).expect("drawn below 2^32")
            });
        }
        let (index, number) = self.first(numbers.clone())?;
        let is_repeated = self.last == Some(number) && numbers.clone().count() > 1;
        self.in_a_row = if is_repeated { self.in_a_row + 1 } else { 0 };
        self.last = Some(number);
        if !self.is_change_due(world) && self.in_a_row < IN_A_ROW_MAX {
            return Some(index);
        }
        self.in_a_row = 0;
        self.lowest -= 1;
        self.of.insert(number, self.lowest);
        self.first(numbers).map(|(index, _)| index)
    }

    fn first(&self, numbers: impl Iterator<Item = u64>) -> Option<(usize, u64)> {
        let of = |number: u64| self.of.get(&number).copied();
        // The last of equals is the greatest, so they are looked at from behind.
        let ranked = numbers.enumerate();
        ranked.max_by_key(|(index, number)| (of(*number), std::cmp::Reverse(*index)))
    }

    fn is_change_due(&mut self, world: &World) -> bool {
        let Some(left) = &mut self.until_change else {
            return false;
        };
        *left -= 1;
        let is_due = *left == 0;
        if is_due {
            self.plan_change(world);
        }
        is_due
    }

    /// Draws when the next change is: any power of two is as likely as any other.
    fn plan_change(&mut self, world: &World) {
        self.until_change = None;
        if self.changes_left > 0 {
            self.changes_left -= 1;
            let drawn = world.choose(ChoiceKind::PriorityChange, CHANGE_MAX);
            let (exponent, mantissa) = (drawn >> 16, drawn & 0xffff);
            let polls = (0x1_0000 + mantissa) << exponent >> 16;
            self.until_change = (drawn > 0).then_some(polls);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_changes_the_same_task_always_goes_first() {
        let world = World::new(3);
        let mut priorities = Priorities::new(1);
        let first = priorities.choose(0..5, &world).expect("there are tasks");
        for _ in 0..100 {
            assert_eq!(priorities.choose(0..5, &world), Some(first));
        }
    }

    #[test]
    fn a_task_that_spins_lets_the_others_go_first_after_a_while() {
        let world = World::new(3);
        let mut priorities = Priorities::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..2000 {
            seen.extend(priorities.choose(0..5, &world));
        }
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn at_a_change_the_first_becomes_the_last() {
        let changed = (0..40).filter(|seed| {
            let world = World::new(*seed);
            let mut priorities = Priorities::new(2);
            let first = priorities.choose(0..3, &world);
            (0..150).any(|_| priorities.choose(0..3, &world) != first)
        });
        assert!(changed.count() > 10);
    }
}

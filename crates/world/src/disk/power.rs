//! What a disk has when its power fails.

use crate::choice::{ChoiceKind, Lane};
use crate::disk::content::Fate;
use crate::disk::tree::InodeKind;
use crate::host::HostId;
use crate::world::WorldState;

/// How the power fails; the last two draw the fate of each thing by itself.
const WAYS: u64 = 4;
const ALL_KEPT: u64 = 0;
const ALL_LOST: u64 = 1;

/// Sets the numbers of lanes of losses that were planned apart from those of the others.
const PLANNED: u32 = 1 << 31;

impl WorldState {
    /// Of what was not synced on the disk of `host`, any part is lost.
    ///
    /// How often it draws depends on what was not synced, so each loss has a lane of its own:
    /// without it those after it leave what they did.
    pub(crate) fn disk_loses_power(&mut self, host: HostId, planned: Option<u32>) {
        let now_ns = self.now_ns();
        let mut disk = std::mem::take(&mut self.hosts.get_mut(host).disk);
        disk.power_losses += 1;
        disk.unplanned_losses += u32::from(planned.is_none());
        disk.owed_ns = 0;
        let number = planned.map_or(disk.unplanned_losses, |number| number | PLANNED);
        let lane = Lane {
            number,
            ..Lane::of(ChoiceKind::PowerLoss, Some(host))
        };
        let way = self.draw(lane, WAYS);
        disk.tree.lose_power(now_ns, |changes| match way {
            ALL_KEPT => 0,
            ALL_LOST => changes,
            _ => self.draw(lane, changes + 1),
        });
        let tears = disk.rules.tears;
        for ino in disk.tree.inos() {
            let inode = disk.tree.get_mut(ino);
            let Some(InodeKind::File(content)) = inode.map(|inode| &mut inode.kind) else {
                continue;
            };
            content.lose_power(now_ns, |page| match way {
                ALL_KEPT => Fate::Kept,
                ALL_LOST => Fate::Lost,
                _ => self.fate(lane, tears && page.is_some()),
            });
        }
        self.hosts.get_mut(host).disk = disk;
    }

    fn fate(&mut self, lane: Lane, may_tear: bool) -> Fate {
        match self.draw(lane, if may_tear { 4 } else { 2 }) {
            0 => Fate::Kept,
            2 => {
                let sectors = self.draw(lane, 256);
                Fate::Torn(u8::try_from(sectors).expect("drawn below 256"))
            }
            _ => Fate::Lost,
        }
    }
}

//! What a disk has when its power fails.

use crate::choice::ChoiceKind;
use crate::disk::content::Fate;
use crate::disk::tree::InodeKind;
use crate::host::HostId;
use crate::world::WorldState;

/// How the power fails; the last two draw the fate of each thing by itself.
const WAYS: u64 = 4;
const ALL_KEPT: u64 = 0;
const ALL_LOST: u64 = 1;

impl WorldState {
    /// Of what was not synced on the disk of `host`, any part is lost.
    pub(crate) fn disk_loses_power(&mut self, host: HostId) {
        let now_ns = self.now_ns();
        let mut disk = std::mem::take(&mut self.hosts.get_mut(host).disk);
        disk.power_losses += 1;
        disk.owed_ns = 0;
        let kind = ChoiceKind::PowerLoss;
        let way = self.choose_on(kind, host, WAYS);
        disk.tree.lose_power(now_ns, |changes| match way {
            ALL_KEPT => 0,
            ALL_LOST => changes,
            _ => self.choose_on(kind, host, changes + 1),
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
                _ => self.fate(host, tears && page.is_some()),
            });
        }
        self.hosts.get_mut(host).disk = disk;
    }

    fn fate(&mut self, host: HostId, may_tear: bool) -> Fate {
        let kind = ChoiceKind::PowerLoss;
        match self.choose_on(kind, host, if may_tear { 4 } else { 2 }) {
            0 => Fate::Kept,
            2 => {
                let sectors = self.choose_on(kind, host, 256);
                Fate::Torn(u8::try_from(sectors).expect("drawn below 256"))
            }
            _ => Fate::Lost,
        }
    }
}

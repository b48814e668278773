//! What is in a file: pages in the page cache, and beneath them what the disk has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes of a page: what the cache brings to the disk at once, or not at all.
pub(crate) const PAGE: usize = 4096;
/// Bytes of a sector: what a disk writes at once, also when its power fails.
pub(crate) const SECTOR: usize = 512;

pub(crate) type Page = [u8; PAGE];

/// The content of a file.
#[derive(Debug, Default)]
pub(crate) struct Content {
    len: u64,
    /// Pages as programs see them. One that is absent is all zeros.
    pages: BTreeMap<u64, Arc<Page>>,
    disk_len: u64,
    /// Pages as they are on the disk; shares those that are the same.
    disk_pages: BTreeMap<u64, Arc<Page>>,
    /// Pages that are to be brought to the disk.
    dirty: BTreeSet<u64>,
    /// Syncs under way, in their order, which is also that of their ends.
    syncing: Vec<Syncing>,
}

/// A sync that is under way: `disk_pages` is what the disk will have, and this what it had.
#[derive(Debug)]
struct Syncing {
    done_at_ns: u64,
    disk_len: u64,
    pages: BTreeMap<u64, Option<Arc<Page>>>,
}

/// What becomes of something that was not synced when the power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    Lost,
    /// Of a page, these sectors (one bit each) had reached the disk.
    Torn(u8),
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// How many pages it has in the cache.
    pub(crate) fn page_count(&self) -> u64 {
        self.pages.len() as u64
    }

    /// Copies what is at `position` to `dst`; returns how many bytes that are.
    pub(crate) fn read(&self, position: u64, dst: &mut [u8]) -> usize {
        let left = usize::try_from(self.len.saturating_sub(position)).unwrap_or(usize::MAX);
        let count = dst.len().min(left);
        for_pages(position, count, |number, in_page, in_buffer| {
            let dst = &mut dst[in_buffer];
            match self.pages.get(&number) {
                Some(page) => dst.copy_from_slice(&page[in_page]),
                None => dst.fill(0),
            }
        });
        count
    }

    /// How many pages a write of `len` bytes at `position` would add.
    pub(crate) fn pages_added(&self, position: u64, len: usize) -> u64 {
        let mut added = 0;
        for_pages(position, len, |number, _, _| {
            added += u64::from(!self.pages.contains_key(&number));
        });
        added
    }

    /// Puts `src` at `position`.
    pub(crate) fn write(&mut self, position: u64, src: &[u8]) {
        for_pages(position, src.len(), |number, in_page, in_buffer| {
            let page = self.pages.entry(number);
            let page = Arc::make_mut(page.or_insert_with(|| Arc::new([0; PAGE])));
            page[in_page].copy_from_slice(&src[in_buffer]);
            self.dirty.insert(number);
        });
        self.len = self.len.max(position.saturating_add(src.len() as u64));
    }

    /// Cuts the content off at `len`, or fills it with zeros up to there.
    pub(crate) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let page_len = PAGE as u64;
            let cut = self.pages.split_off(&len.div_ceil(page_len));
            let on_disk = self.disk_pages.range(len.div_ceil(page_len)..);
            let gone: Vec<u64> = cut
                .keys()
                .chain(on_disk.map(|(number, _)| number))
                .copied()
                .collect();
            self.dirty.extend(gone);
            let rest = usize::try_from(len % page_len).expect("less than a page");
            let last = len / page_len;
            if rest > 0 {
                if let Some(page) = self.pages.get_mut(&last) {
                    Arc::make_mut(page)[rest..].fill(0);
                    self.dirty.insert(last);
                }
            }
        }
        self.len = len;
    }

    /// Brings everything to the disk, which takes from now until `done_at_ns`.
    pub(crate) fn sync(&mut self, now_ns: u64, done_at_ns: u64) {
        self.syncing.retain(|syncing| syncing.done_at_ns > now_ns);
        // It waits also for what others have begun to bring there.
        for syncing in &mut self.syncing {
            syncing.done_at_ns = syncing.done_at_ns.min(done_at_ns);
        }
        let (dirty, disk_len) = (std::mem::take(&mut self.dirty), self.disk_len);
        let to_disk = |number| {
            let before = match self.pages.get(&number) {
                Some(page) => self.disk_pages.insert(number, page.clone()),
                None => self.disk_pages.remove(&number),
            };
            (number, before)
        };
        let pages = dirty.into_iter().map(to_disk).collect();
        self.disk_len = self.len;
        if done_at_ns > now_ns {
            self.syncing.push(Syncing {
                done_at_ns,
                disk_len,
                pages,
            });
        }
    }

    /// Takes back what syncs that are not done have brought to the disk.
    fn unsync(&mut self, now_ns: u64) {
        let syncing = std::mem::take(&mut self.syncing);
        let under_way = |syncing: &Syncing| syncing.done_at_ns > now_ns;
        for syncing in syncing.into_iter().rev().filter(under_way) {
            self.disk_len = syncing.disk_len;
            for (number, before) in syncing.pages {
                match before {
                    Some(page) => self.disk_pages.insert(number, page),
                    None => self.disk_pages.remove(&number),
                };
                self.dirty.insert(number);
            }
        }
    }

    /// Takes everything to be on the disk, which it is not: what a sync that failed leaves.
    pub(crate) fn forget_dirty(&mut self) {
        self.dirty.clear();
    }

    /// Whether something is to be brought to the disk, or is on its way.
    pub(crate) fn is_dirty(&self, now_ns: u64) -> bool {
        let under_way = |syncing: &Syncing| syncing.done_at_ns > now_ns;
        !self.dirty.is_empty() || self.len != self.disk_len || self.syncing.iter().any(under_way)
    }

    /// The power fails: `fate` says what becomes of each page that was not synced, and of the
    /// length (for which no number is given).
    pub(crate) fn lose_power(&mut self, now_ns: u64, mut fate: impl FnMut(Option<u64>) -> Fate) {
        self.unsync(now_ns);
        for number in std::mem::take(&mut self.dirty) {
            let new = self.pages.get(&number).map(|page| **page);
            let old = self.disk_pages.get(&number).map(|page| **page);
            match fate(Some(number)) {
                Fate::Lost => continue,
                Fate::Kept => match new {
                    Some(page) => self.disk_pages.insert(number, Arc::new(page)),
                    None => self.disk_pages.remove(&number),
                },
                Fate::Torn(sectors) => {
                    let torn = torn(old.unwrap_or([0; PAGE]), &new.unwrap_or([0; PAGE]), sectors);
                    self.disk_pages.insert(number, Arc::new(torn))
                }
            };
        }
        if self.len != self.disk_len && fate(None) == Fate::Kept {
            self.disk_len = self.len;
        }
        self.len = self.disk_len;
        // What lies beyond the end of the file is no part of it.
        self.disk_pages.split_off(&self.len.div_ceil(PAGE as u64));
        let rest = usize::try_from(self.len % PAGE as u64).expect("less than a page");
        if let Some(page) = self.disk_pages.get_mut(&(self.len / PAGE as u64)) {
            Arc::make_mut(page)[rest..].fill(0);
        }
        self.pages = self.disk_pages.clone();
    }

    /// Whether the page that holds `position` is as on the disk, so that rot may show in it.
    pub(crate) fn is_clean_at(&self, position: u64) -> bool {
        let number = position / PAGE as u64;
        self.pages.contains_key(&number) && !self.dirty.contains(&number)
    }

    /// Turns one bit around, on the disk and in the cache.
    pub(crate) fn rot(&mut self, position: u64, bit: usize) {
        let number = position / PAGE as u64;
        for pages in [&mut self.pages, &mut self.disk_pages] {
            if let Some(page) = pages.get_mut(&number) {
                Arc::make_mut(page)[bit / 8 % PAGE] ^= 1 << (bit % 8);
            }
        }
    }
}

/// `page` with some sectors of `new`.
fn torn(mut page: Page, new: &Page, sectors: u8) -> Page {
    for sector in (0..PAGE / SECTOR).filter(|sector| sectors >> sector & 1 == 1) {
        let range = sector * SECTOR..(sector + 1) * SECTOR;
        page[range.clone()].copy_from_slice(&new[range]);
    }
    page
}

/// Calls `f` with each page that a range of a file touches: its number, the range within it, and
/// the range within a buffer for the whole.
fn for_pages(
    position: u64,
    len: usize,
    mut f: impl FnMut(u64, std::ops::Range<usize>, std::ops::Range<usize>),
) {
    let mut done = 0;
    while done < len {
        let at = position + done as u64;
        let offset = usize::try_from(at % PAGE as u64).expect("less than a page");
        let count = (PAGE - offset).min(len - done);
        f(at / PAGE as u64, offset..offset + count, done..done + count);
        done += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(content: &Content) -> Vec<u8> {
        let mut bytes = vec![7; usize::try_from(content.len()).unwrap() + 9];
        let count = content.read(0, &mut bytes);
        bytes.truncate(count);
        bytes
    }

    #[test]
    fn reads_see_writes_holes_and_cuts() {
        let mut content = Content::default();
        content.write(5000, b"hello");
        assert_eq!(content.len(), 5005);
        assert_eq!(all(&content)[..5000], [0; 5000]);
        assert_eq!(&all(&content)[5000..], b"hello");
        assert_eq!(content.page_count(), 1);
        content.set_len(5002);
        content.set_len(9000);
        assert_eq!(&all(&content)[5000..5005], b"he\0\0\0");
        content.set_len(3);
        assert_eq!(all(&content), [0; 3]);
        assert_eq!(content.page_count(), 0);
    }

    #[test]
    fn power_keeps_what_was_synced_and_any_part_of_the_rest() {
        let mut content = Content::default();
        content.write(0, &[1; 3 * PAGE]);
        content.sync(0, 0);
        content.write(0, &[2; 3 * PAGE]);
        content.lose_power(0, |page| match page {
            Some(0) => Fate::Lost,
            Some(1) => Fate::Torn(0b10),
            _ => Fate::Kept,
        });
        let bytes = all(&content);
        assert_eq!(bytes[..PAGE + SECTOR], [1; PAGE + SECTOR]);
        assert_eq!(bytes[PAGE + SECTOR..PAGE + 2 * SECTOR], [2; SECTOR]);
        assert_eq!(bytes[PAGE + 2 * SECTOR..2 * PAGE], [1; PAGE - 2 * SECTOR]);
        assert_eq!(bytes[2 * PAGE..], [2; PAGE]);
        assert!(!content.is_dirty(0));
    }

    #[test]
    fn a_sync_keeps_nothing_for_sure_before_it_is_done() {
        // What is left of 1, then 2, each synced, the second until 10, then 3, synced until `end`.
        let left = |end, now| {
            let mut content = Content::default();
            content.write(0, &[1; PAGE]);
            content.sync(0, 0);
            content.write(0, &[2; PAGE]);
            content.sync(3, 10);
            content.write(0, &[3; PAGE]);
            content.sync(4, end);
            assert_eq!(content.is_dirty(now), now < end);
            content.lose_power(now, |_| Fate::Lost);
            all(&content)[0]
        };
        assert_eq!([9, 10, 19, 20].map(|now| left(20, now)), [1, 2, 2, 3]);
        // A sync that is done has waited for the pages of the one before.
        assert_eq!([6, 7].map(|now| left(7, now)), [1, 3]);
    }

    #[test]
    fn a_length_that_is_lost_hides_the_pages_beyond_it() {
        let mut content = Content::default();
        content.write(0, b"synced");
        content.sync(0, 0);
        content.write(6, &[9; PAGE]);
        content.lose_power(0, |page| match page {
            Some(_) => Fate::Kept,
            None => Fate::Lost,
        });
        assert_eq!(all(&content), b"synced");
        content.set_len(10);
        assert_eq!(all(&content), b"synced\0\0\0\0", "nothing comes back");
    }

    #[test]
    fn a_cut_that_is_lost_brings_back_what_was_cut() {
        let mut content = Content::default();
        content.write(0, &[1; 2 * PAGE]);
        content.sync(0, 0);
        content.set_len(0);
        content.lose_power(0, |_| Fate::Lost);
        assert_eq!(all(&content), [1; 2 * PAGE]);
        content.set_len(0);
        content.lose_power(0, |_| Fate::Kept);
        assert_eq!(content.len(), 0);
    }

    #[test]
    fn what_a_failed_sync_forgets_is_gone_with_the_power() {
        let mut content = Content::default();
        content.write(0, b"old");
        content.sync(0, 0);
        content.write(0, b"new");
        content.forget_dirty();
        assert_eq!(all(&content), b"new");
        content.sync(0, 0);
        content.lose_power(0, |_| Fate::Kept);
        assert_eq!(all(&content), b"old");
    }
}

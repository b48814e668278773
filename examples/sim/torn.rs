//! A journal takes the last entry to be whole when it is long enough. The power fails while it is
//! written: its length is on the disk, a part of its sectors is not, and zeros count as amounts.

use std::collections::BTreeMap;
use std::io::{self, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sim::{Sim, Swarm, SwarmFault};
use tokio::sync::Mutex;

use crate::{Form, finds, insist, passes, serve};

const PORT: u16 = 7011;
const JOURNAL: &str = "/journal";
const TRANSFERS: u64 = 100;
/// Amounts of a transfer: more than a sector holds.
const AMOUNTS: usize = 120;
/// Bytes of an entry: the number of the transfer, its amounts, a checksum.
const ENTRY: usize = 8 * (AMOUNTS + 2);

/// The file, and the sum of each transfer in it.
struct Journal {
    file: File,
    sums: BTreeMap<u64, u64>,
}

impl Journal {
    /// Reads what is there; an entry that is not whole was acknowledged to nobody, and is cut off.
    async fn open(form: Form) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(JOURNAL).await?;
        File::open("/").await?.sync_all().await?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).await?;
        let entries = bytes.chunks_exact(ENTRY);
        let whole = entries.take_while(|entry| form == Form::Buggy || is_whole(entry));
        let sums: BTreeMap<_, _> = whole.map(sum).collect();
        let end = (sums.len() * ENTRY) as u64;
        file.set_len(end).await?;
        file.sync_all().await?;
        file.seek(SeekFrom::Start(end)).await?;
        Ok(Self { file, sums })
    }

    /// Writes a transfer, unless it is there already; its amounts are all the same.
    async fn add(&mut self, transfer: u64) -> io::Result<()> {
        if self.sums.contains_key(&transfer) {
            return Ok(());
        }
        let amounts = [transfer].into_iter().cycle().take(AMOUNTS + 1);
        let mut entry: Vec<u8> = amounts.flat_map(u64::to_be_bytes).collect();
        entry.extend(checksum(&entry).to_be_bytes());
        self.file.write_all(&entry).await?;
        self.file.flush().await?;
        self.file.sync_data().await?;
        self.sums.extend([sum(&entry)]);
        Ok(())
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let numbers = bytes.chunks_exact(8);
    numbers.map(|bytes| bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

/// The FNV-1a hash, which is enough against what was not meant.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn is_whole(entry: &[u8]) -> bool {
    let (content, end) = entry.split_at(ENTRY - 8);
    numbers(end).next() == Some(checksum(content))
}

/// The number of a transfer, and the sum of its amounts.
fn sum(entry: &[u8]) -> (u64, u64) {
    let mut numbers = numbers(&entry[..ENTRY - 8]);
    (numbers.next().unwrap_or_default(), numbers.sum())
}

/// Question 0 asks for the sum of all, any other for a transfer of that number.
async fn bank(form: Form) -> io::Result<()> {
    let journal = Arc::new(Mutex::new(Journal::open(form).await?));
    serve(PORT, move |question| {
        let journal = journal.clone();
        async move {
            let mut journal = journal.lock().await;
            match question {
                0 => return Ok(journal.sums.values().sum()),
                transfer => journal.add(transfer).await?,
            }
            Ok(1)
        }
    })
    .await
}

async fn customer() {
    for transfer in 1..=TRANSFERS {
        insist("bank", PORT, transfer).await;
    }
}

pub(crate) async fn world(sim: Sim, form: Form) {
    let bank = sim.host("bank", move || bank(form));
    // A disk that turns.
    let turn = Duration::from_millis(2)..Duration::from_millis(20);
    bank.disk().sync_latency(turn);
    let short = Swarm::default().longest(Duration::from_secs(1));
    let chaos = sim.nemesis(short.only([SwarmFault::PowerLoss]));
    sim.client("customer", customer()).await.unwrap();
    drop(chaos);
    let sum = insist("bank", PORT, 0).await;
    let transferred = AMOUNTS as u64 * (1..=TRANSFERS).sum::<u64>();
    assert_eq!(sum, transferred, "what was transferred is booked");
}

#[test]
fn the_torn_end_of_a_journal_is_taken_for_an_entry() {
    let failure = finds("torn", |sim| world(sim, Form::Buggy));
    assert!(failure.text.contains("is booked"), "{failure}");
}

#[test]
fn a_torn_entry_does_not_have_its_checksum() {
    passes("torn", |sim| world(sim, Form::Fixed));
}

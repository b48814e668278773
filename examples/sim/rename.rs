//! Settings are replaced as a whole: written beside, synced, renamed. The new name is a change of
//! the directory, and that was not synced: the power fails, and the old settings are back.

use std::io;
use std::time::Duration;

use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::sim::{Sim, Swarm, SwarmFault};
use tokio::time::sleep;

use crate::{Form, finds, insist, passes, serve};

const PORT: u16 = 7008;
const SETTINGS: &str = "/settings";
const VERSIONS: u64 = 20;

/// Question 0 asks for the settings, which are a number; any other question replaces them.
async fn service(form: Form) -> io::Result<()> {
    serve(PORT, move |question| async move {
        match question {
            0 => load().await,
            settings => save(form, settings).await.map(|()| 1),
        }
    })
    .await
}

async fn save(form: Form, settings: u64) -> io::Result<()> {
    let mut file = File::create("/settings.new").await?;
    file.write_u64(settings).await?;
    file.sync_all().await?;
    fs::rename("/settings.new", SETTINGS).await?;
    if form == Form::Fixed {
        File::open("/").await?.sync_all().await?;
    }
    Ok(())
}

async fn load() -> io::Result<u64> {
    match fs::read(SETTINGS).await {
        Ok(bytes) => {
            let number = bytes.try_into().map(u64::from_be_bytes);
            number.map_err(|_| io::ErrorKind::InvalidData.into())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

async fn client() {
    for version in 1..=VERSIONS {
        insist("service", PORT, version).await;
        sleep(Duration::from_millis(200)).await;
        let loaded = insist("service", PORT, 0).await;
        assert_eq!(loaded, version, "the settings are those that were saved");
    }
}

pub(crate) async fn world(sim: Sim, form: Form) {
    sim.host("service", move || service(form));
    let chaos = sim.nemesis(Swarm::default().only([SwarmFault::PowerLoss]));
    sim.client("client", client()).await.unwrap();
    drop(chaos);
}

#[test]
fn a_name_in_memory_is_lost_with_the_power() {
    let failure = finds("rename", |sim| world(sim, Form::Buggy));
    assert!(failure.text.contains("those that were saved"), "{failure}");
}

#[test]
fn a_name_in_a_synced_directory_is_kept() {
    passes("rename", |sim| world(sim, Form::Fixed));
}

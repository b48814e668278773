//! A payment is sent again when no answer comes. The first may have arrived, and only its answer
//! got lost: then it is booked twice.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sim::{Sim, Swarm};
use tokio::time::sleep;

use crate::{Form, at_once, finds, insist, passes, serve};

const PORT: u16 = 7001;
const PAYMENTS: u64 = 10;

/// What the bank has on its disk.
#[derive(Default)]
struct Books {
    total: u64,
    /// The numbers of the payments that were booked.
    booked: BTreeSet<u64>,
}

/// The bank: each question is the number of a payment of 1.
async fn bank(form: Form, books: Arc<Mutex<Books>>) -> std::io::Result<()> {
    let book = move |payment: u64| {
        let mut books = books.lock().unwrap();
        let is_new = books.booked.insert(payment);
        if is_new || form == Form::Buggy {
            books.total += 1;
        }
        books.total
    };
    serve(PORT, at_once(book)).await
}

async fn customer() {
    for payment in 0..PAYMENTS {
        insist("bank", PORT, payment).await;
        sleep(Duration::from_millis(200)).await;
    }
}

pub(crate) async fn world(sim: Sim, form: Form) {
    let books = Arc::new(Mutex::new(Books::default()));
    let kept = books.clone();
    sim.host("bank", move || bank(form, kept.clone()));
    let chaos = sim.nemesis(Swarm::default());
    let customer = sim.client("customer", customer());
    customer.await.unwrap();
    drop(chaos);
    assert_eq!(books.lock().unwrap().total, PAYMENTS, "payments booked");
}

#[test]
fn a_payment_that_is_sent_again_is_booked_twice() {
    let failure = finds("retry", |sim| world(sim, Form::Buggy));
    assert!(failure.text.contains("payments booked"), "{failure}");
}

#[test]
fn a_payment_with_a_number_is_booked_once() {
    passes("retry", |sim| world(sim, Form::Fixed));
}

//! `ReadBuf` does what a plain model of memory does.

use std::mem::MaybeUninit;

use proptest::collection::vec;
use proptest::prelude::*;
use yamanote_io::ReadBuf;

#[derive(Clone, Debug)]
enum Step {
    Put(Vec<u8>),
    Advance(usize),
    SetFilled(usize),
    Clear,
    InitializeTo(usize),
    InitializeAll,
    FillOverTake(usize, Vec<u8>),
    ChangeFilled(u8),
    ChangeInitialized(u8),
}

const CAPACITY: usize = 24;

fn step() -> impl Strategy<Value = Step> {
    let bytes = || vec(any::<u8>(), 0..10);
    prop_oneof![
        bytes().prop_map(Step::Put),
        (0..CAPACITY).prop_map(Step::Advance),
        (0..CAPACITY).prop_map(Step::SetFilled),
        Just(Step::Clear),
        (0..CAPACITY).prop_map(Step::InitializeTo),
        Just(Step::InitializeAll),
        (0..CAPACITY, bytes()).prop_map(|(n, bytes)| Step::FillOverTake(n, bytes)),
        any::<u8>().prop_map(Step::ChangeFilled),
        any::<u8>().prop_map(Step::ChangeInitialized),
    ]
}

/// The bytes that are known to be initialized, and how many of them are filled.
#[derive(Debug, Default)]
struct Memory {
    initialized: Vec<u8>,
    filled: usize,
}

impl Memory {
    fn put(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        self.initialize_to(end);
        self.initialized[self.filled..end].copy_from_slice(bytes);
        self.filled = end;
    }

    fn initialize_to(&mut self, end: usize) {
        let end = end.max(self.initialized.len());
        self.initialized.resize(end, 0);
    }
}

/// Does the same to both; lengths are cut to what is allowed.
fn apply(step: Step, buf: &mut ReadBuf<'_>, memory: &mut Memory) {
    match step {
        Step::Put(mut bytes) => {
            bytes.truncate(buf.remaining());
            buf.put_slice(&bytes);
            memory.put(&bytes);
        }
        Step::Advance(n) => {
            let n = n.min(memory.initialized.len() - memory.filled);
            buf.advance(n);
            memory.filled += n;
        }
        Step::SetFilled(n) => {
            memory.filled = n.min(memory.initialized.len());
            buf.set_filled(memory.filled);
        }
        Step::Clear => {
            buf.clear();
            memory.filled = 0;
        }
        Step::InitializeTo(n) => {
            let n = n.min(buf.remaining());
            memory.initialize_to(memory.filled + n);
            let expected = &memory.initialized[memory.filled..][..n];
            assert_eq!(buf.initialize_unfilled_to(n), expected);
        }
        Step::InitializeAll => {
            memory.initialize_to(CAPACITY);
            assert_eq!(
                buf.initialize_unfilled(),
                &memory.initialized[memory.filled..]
            );
        }
        Step::FillOverTake(n, mut bytes) => {
            // What is initialized in a part may be told to the whole by unsafe code only; here
            // the whole knows it beforehand.
            buf.initialize_unfilled();
            memory.initialize_to(CAPACITY);
            let mut part = buf.take(n);
            bytes.truncate(part.capacity());
            part.put_slice(&bytes);
            assert_eq!(part.filled(), bytes);
            buf.advance(bytes.len());
            memory.put(&bytes);
        }
        Step::ChangeFilled(byte) => {
            buf.filled_mut().fill(byte);
            memory.initialized[..memory.filled].fill(byte);
        }
        Step::ChangeInitialized(byte) => {
            buf.initialized_mut().fill(byte);
            memory.initialized.fill(byte);
        }
    }
}

fn check(mut buf: ReadBuf<'_>, mut memory: Memory, steps: Vec<Step>) {
    for step in steps {
        apply(step, &mut buf, &mut memory);
        assert_eq!(buf.capacity(), CAPACITY);
        assert_eq!(buf.filled(), &memory.initialized[..memory.filled]);
        assert_eq!(buf.initialized(), memory.initialized);
        assert_eq!(buf.remaining(), CAPACITY - memory.filled);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_buffer_of_uninitialized_memory_follows_the_model(steps in vec(step(), 0..40)) {
        check(
            ReadBuf::uninit(&mut [MaybeUninit::uninit(); CAPACITY]),
            Memory::default(),
            steps,
        );
    }

    #[test]
    fn a_buffer_of_initialized_memory_follows_the_model(steps in vec(step(), 0..40)) {
        let memory = Memory { initialized: vec![7; CAPACITY], filled: 0 };
        check(ReadBuf::new(&mut [7; CAPACITY]), memory, steps);
    }
}

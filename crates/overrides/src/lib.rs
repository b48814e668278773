//! Not an API: a layer of yamanote. Functions of the C library through which a program would see
//! another world than the simulated one: clocks, randomness, threads, names, numbers of the
//! machine.
//!
//! They stand in the place of the system's in every program that is built with the feature `sim`,
//! which is one of tests; on threads that are in no world they do what the system's do. Knows
//! nothing of worlds: it asks `base::simulated` for what surrounds the thread.
//!
//! ```text
//!  std, rand, C ──▶ clock_gettime ──▶ in a world? ── no ──▶ the system's, by its vdso
//!                                         └── yes ──▶ base::simulated ──▶ the host's clock
//! ```
//!
//! What reads the clock by an instruction or a system call of its own (rustix, rdtsc) is not seen
//! here; the check of two processes finds it.

#[cfg(target_os = "linux")]
mod addresses;
#[cfg(target_os = "linux")]
mod call;
#[cfg(target_os = "linux")]
mod futex;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod randomness;
#[cfg(target_os = "linux")]
mod real;
#[cfg(target_os = "linux")]
mod sockets;
#[cfg(target_os = "linux")]
mod thread;
#[cfg(target_os = "linux")]
mod time;
#[cfg(target_os = "linux")]
mod transfers;

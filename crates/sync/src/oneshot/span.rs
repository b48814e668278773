//! What those who watch the program hear of a oneshot channel.
//!
//! Each end has its span beside its half of the channel, declared after it: that an end has gone
//! is told when it has, and nothing hangs on who listens.

use std::task::Poll;

use yamanote_trace::{AsyncOp, Resource, op, poll_op, resource, update};

/// The channel, as its sender tells of it.
pub(super) struct SenderSpan(Resource);

/// The channel and the wait for its value, as its receiver tells of them.
pub(super) struct ReceiverSpan(AsyncOp);

#[track_caller]
pub(super) fn pair() -> (SenderSpan, ReceiverSpan) {
    let channel = resource!("tokio::sync::oneshot", "Sender|Receiver", "Sync");
    channel.in_scope(|| tell_tx_dropped(false));
    channel.in_scope(|| tell_rx_dropped(false));
    channel.in_scope(|| tell_value_sent(false));
    channel.in_scope(|| tell_value_received(false));
    let wait = op!("tokio::sync::oneshot", &channel, "Receiver::await");
    (SenderSpan(channel), ReceiverSpan(wait))
}

impl SenderSpan {
    /// The value was sent.
    pub(super) fn sent(&self) {
        self.0.in_scope(|| tell_value_sent(true));
    }
}

impl Drop for SenderSpan {
    fn drop(&mut self) {
        self.0.in_scope(|| tell_tx_dropped(true));
    }
}

impl ReceiverSpan {
    /// Calls `poll`, which asks for the value.
    pub(super) fn polled<V>(&self, poll: impl FnOnce() -> Poll<V>) -> Poll<V> {
        self.0.in_poll(|| {
            let polled = poll();
            poll_op("poll_recv", polled.is_ready());
            polled
        })
    }

    /// The value was received.
    pub(super) fn received(&self) {
        self.0.in_resource(|| tell_value_received(true));
    }
}

impl Drop for ReceiverSpan {
    fn drop(&mut self) {
        self.0.in_resource(|| tell_rx_dropped(true));
    }
}

fn tell_tx_dropped(dropped: bool) {
    update!(tx_dropped = dropped, tx_dropped.op = "override");
}

fn tell_rx_dropped(dropped: bool) {
    update!(rx_dropped = dropped, rx_dropped.op = "override");
}

fn tell_value_sent(sent: bool) {
    update!(value_sent = sent, value_sent.op = "override");
}

fn tell_value_received(received: bool) {
    update!(value_received = received, value_received.op = "override");
}

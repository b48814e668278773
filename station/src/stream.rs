//! The feed over HTTP: server-sent events, and the same over a WebSocket.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde_json::json;
use tokio::time::timeout;

use crate::feed::{Heard, Listener};
use crate::service::{App, stopped};

/// How long a WebSocket's peer may take to read one message before it is given up.
const SEND_MAX: Duration = Duration::from_secs(30);

/// `GET /watch`: an event `change` for each change; `missed` says that the listener was too slow.
pub(crate) async fn watch(
    State(app): State<App>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let listener = app.feed.listen();
    let events = unfold((app, listener), |(mut app, mut listener)| async move {
        let heard = hear(&mut app, &mut listener).await?;
        let (name, data) = described(&heard);
        Some((Ok(Event::default().event(name).data(data)), (app, listener)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// What the listener hears next, or none once the service stops.
async fn hear(app: &mut App, listener: &mut Listener) -> Option<Heard> {
    let heard = tokio::select! {
        heard = listener.next() => heard?,
        () = stopped(&mut app.stopping) => return None,
    };
    if let Heard::Missed(missed) = heard {
        app.stats.missed.add(missed);
    }
    Some(heard)
}

fn described(heard: &Heard) -> (&'static str, String) {
    match heard {
        Heard::Change(change) => {
            let json = serde_json::to_string(&**change);
            ("change", json.expect("a change is numbers and strings"))
        }
        Heard::Missed(missed) => ("missed", json!({ "missed": missed }).to_string()),
    }
}

/// `GET /ws`: each change as a text message; `{"missed":n}` says that the listener was too slow.
pub(crate) async fn websocket(State(app): State<App>, upgrade: WebSocketUpgrade) -> Response {
    // From before the answer on: what changes once the client has it, the client hears.
    let listener = app.feed.listen();
    upgrade
        .max_message_size(64 << 10)
        .on_upgrade(move |socket| relay(app, listener, socket))
}

async fn relay(mut app: App, mut listener: Listener, mut socket: WebSocket) {
    loop {
        let heard = tokio::select! {
            heard = hear(&mut app, &mut listener) => heard,
            message = socket.recv() => match message {
                // Pings are answered by the socket; nothing else is expected of the peer.
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
        };
        let message = match &heard {
            Some(heard) => Message::Text(described(heard).1.into()),
            None => Message::Close(Some(CloseFrame {
                code: close_code::AWAY,
                reason: "the service is stopping".into(),
            })),
        };
        let sent = timeout(SEND_MAX, socket.send(message)).await;
        if heard.is_none() || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

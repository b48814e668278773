//! [`TcpStream`], and its half that receives.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use yamanote_base::ready::Direction;
use yamanote_driver::resource::{self, OwnedDescriptor, Resource, Watched};
use yamanote_driver::sockets::{self, Chunk, Conversation, Held, SockRef};

use super::sender::Sender;
use super::{inet, set_blocking};
use crate::addr::ToSocketAddrs;
use crate::fill::fill;

/// A TCP connection whose operations own their buffers.
///
/// Dropping it closes both directions, and ends what the kernel has under way for it; a buffer
/// that the kernel has is freed when that has ended.
#[derive(Debug)]
pub struct TcpStream {
    receiver: Receiver,
    sender: Sender,
}

/// The half of a [`TcpStream`] that receives. The connection closes when both halves are dropped.
///
/// When it is dropped, the kernel receives no more for it.
#[derive(Debug)]
pub struct Receiver(StreamIo);

/// What each half has.
#[derive(Clone)]
pub(super) enum StreamIo {
    Ring(Conversation),
    Ready(Arc<resource::TcpStream>),
}

impl TcpStream {
    /// Connects to the first address of `addr` that answers.
    ///
    /// *Cancel safety:* dropping it gives the attempt up.
    ///
    /// # Errors
    /// Of the last address, when none answers.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        Self::from_stream(crate::TcpStream::connect(addr).await?)
    }

    /// Takes a stream of [`TcpStream`](crate::TcpStream)'s kind.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn from_stream(stream: crate::TcpStream) -> io::Result<Self> {
        Self::of(stream.into_io())
    }

    /// The stream of [`TcpStream`](crate::TcpStream)'s kind, and the bytes that have arrived and
    /// were not asked for. What was [posted](Self::post) is sent before.
    ///
    /// *Cancel safety:* dropping it closes the connection.
    ///
    /// # Errors
    /// Those of the system, and of what was posted; that of a connection which has failed, if it
    /// was received already. Then what had arrived before is lost.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn into_stream(self) -> io::Result<(crate::TcpStream, Vec<u8>)> {
        match &self.sender.io {
            StreamIo::Ring(conversation) => {
                let (socket, bytes) = end(conversation).await?;
                Ok((crate::TcpStream::from_std(socket.into())?, bytes))
            }
            StreamIo::Ready(io) => {
                let io = io.clone();
                drop(self);
                let io = Arc::into_inner(io).expect("the other shares were just dropped");
                Ok((crate::TcpStream::of(io), Vec::new()))
            }
        }
    }

    /// Takes std's stream, whether it blocks or not.
    ///
    /// # Errors
    /// `Unsupported` in a simulated world; those of the system.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        Self::of_socket(stream.into())
    }

    /// Std's stream, which does not block, and the bytes that have arrived and were not asked for.
    ///
    /// *Cancel safety:* dropping it closes the connection.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated; those of the system.
    ///
    /// # Panics
    /// As [`into_stream`](Self::into_stream).
    pub async fn into_std(self) -> io::Result<(std::net::TcpStream, Vec<u8>)> {
        let (stream, bytes) = self.into_stream().await?;
        Ok((stream.into_std()?, bytes))
    }

    pub(super) fn of(io: resource::TcpStream) -> io::Result<Self> {
        match io {
            Resource::Os(_) if sockets::are_available() => {
                let stream: std::net::TcpStream = io.into_os()?.into();
                Self::from_std(stream)
            }
            other => Ok(Self::over(StreamIo::Ready(Arc::new(other)))),
        }
    }

    pub(super) fn of_socket(socket: OwnedDescriptor) -> io::Result<Self> {
        set_blocking(&socket, true)?;
        Ok(Self::over(match Conversation::new(socket) {
            Ok(conversation) => StreamIo::Ring(conversation),
            Err(socket) => {
                set_blocking(&socket, false)?;
                StreamIo::Ready(Arc::new(resource::TcpStream::from_std(socket.into())?))
            }
        }))
    }

    fn over(io: StreamIo) -> Self {
        Self {
            receiver: Receiver(io.clone()),
            sender: Sender {
                io,
                shuts_down: false,
            },
        }
    }

    /// The halves, for two tasks. Dropping the [`Sender`] shuts sending down.
    #[must_use]
    pub fn into_split(self) -> (Receiver, Sender) {
        let Self {
            receiver,
            mut sender,
        } = self;
        sender.shuts_down = true;
        (receiver, sender)
    }

    /// The halves, to be used at once.
    pub fn split(&mut self) -> (&mut Receiver, &mut Sender) {
        (&mut self.receiver, &mut self.sender)
    }

    /// [`Receiver::recv`].
    ///
    /// # Errors
    /// As there.
    pub fn recv<B>(&mut self, buffer: B) -> impl Future<Output = (io::Result<usize>, B)>
    where
        B: AsMut<[u8]> + Send + 'static,
    {
        self.receiver.recv(buffer)
    }

    /// [`Receiver::chunk`].
    ///
    /// # Errors
    /// As there.
    pub fn chunk(&mut self) -> impl Future<Output = io::Result<Option<Chunk>>> {
        self.receiver.chunk()
    }

    /// [`Sender::send`].
    ///
    /// # Errors
    /// As there.
    pub fn send<B>(&mut self, buffer: B) -> impl Future<Output = (io::Result<usize>, B)>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        self.sender.send(buffer)
    }

    /// [`Sender::send_all`].
    ///
    /// # Errors
    /// As there.
    pub fn send_all<B>(&mut self, buffer: B) -> impl Future<Output = (io::Result<()>, B)>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        self.sender.send_all(buffer)
    }

    /// [`Sender::post`].
    ///
    /// # Errors
    /// As there.
    pub fn post<B>(&mut self, buffer: B) -> impl Future<Output = io::Result<()>>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        self.sender.post(buffer)
    }

    /// [`Sender::flush`].
    ///
    /// # Errors
    /// As there.
    pub fn flush(&mut self) -> impl Future<Output = io::Result<()>> {
        self.sender.flush()
    }

    /// Shuts one or both directions down.
    ///
    /// What was [posted](Self::post) may be cut off: [`flush`](Self::flush) first.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.sender.io.shutdown(how)
    }

    /// The address of this end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.sender.io {
            StreamIo::Ring(conversation) => {
                inet(&SockRef::from(conversation.socket()).local_addr()?)
            }
            StreamIo::Ready(io) => io.local_addr(),
        }
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// When it is not connected any more.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.sender.io {
            StreamIo::Ring(conversation) => {
                inet(&SockRef::from(conversation.socket()).peer_addr()?)
            }
            StreamIo::Ready(io) => io.peer_addr(),
        }
    }

    /// Whether small sends leave at once.
    ///
    /// # Errors
    /// Those of the system.
    pub fn nodelay(&self) -> io::Result<bool> {
        match &self.sender.io {
            StreamIo::Ring(conversation) => SockRef::from(conversation.socket()).tcp_nodelay(),
            StreamIo::Ready(io) => {
                io.option(|socket| socket.tcp_nodelay(), |options| options.nodelay)
            }
        }
    }

    /// Sets [`nodelay`](Self::nodelay).
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        match &self.sender.io {
            StreamIo::Ring(conversation) => {
                SockRef::from(conversation.socket()).set_tcp_nodelay(nodelay)
            }
            StreamIo::Ready(io) => io.set_option(
                |socket| socket.set_tcp_nodelay(nodelay),
                |options| options.nodelay = nodelay,
            ),
        }
    }

    /// Hops that its packets may take.
    ///
    /// # Errors
    /// Those of the system.
    pub fn ttl(&self) -> io::Result<u32> {
        match &self.sender.io {
            StreamIo::Ring(conversation) => SockRef::from(conversation.socket()).ttl_v4(),
            StreamIo::Ready(io) => io.option(|socket| socket.ttl_v4(), |options| options.ttl),
        }
    }

    /// Sets [`ttl`](Self::ttl).
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        match &self.sender.io {
            StreamIo::Ring(conversation) => SockRef::from(conversation.socket()).set_ttl_v4(ttl),
            StreamIo::Ready(io) => {
                io.set_option(|socket| socket.set_ttl_v4(ttl), |options| options.ttl = ttl)
            }
        }
    }
}

impl Receiver {
    /// Receives into `buffer`, once, and gives it back: how much, 0 being the end of the stream.
    ///
    /// The length of the buffer counts, not its capacity. What the kernel has received for
    /// [`chunk`](Self::chunk) comes first.
    ///
    /// *Cancel safety:* nothing is lost but the buffer: what arrives in it is for the next.
    ///
    /// # Errors
    /// Those of the connection; when the runtime is shut down.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn f(mut stream: yamanote::owned::TcpStream) -> std::io::Result<()> {
    /// let (received, buffer) = stream.recv(vec![0; 4096]).await;
    /// println!("{:?}", &buffer[..received?]);
    /// # Ok(()) }
    /// ```
    pub async fn recv<B>(&mut self, mut buffer: B) -> (io::Result<usize>, B)
    where
        B: AsMut<[u8]> + Send + 'static,
    {
        if buffer.as_mut().is_empty() {
            return (Ok(0), buffer);
        }
        match &self.0 {
            StreamIo::Ring(conversation) => {
                let mut lent = Lent {
                    held: Some(Held::to_fill(buffer)),
                    conversation,
                    forget: Conversation::forget_receive,
                };
                let held = &mut lent.held;
                let result = poll_fn(|cx| conversation.poll_receive(cx, held)).await;
                (result, lent.take())
            }
            StreamIo::Ready(io) => {
                let mut space = buffer.as_mut();
                let result = poll_fn(|cx| {
                    let asked = space.len();
                    let read = || fill(&mut space, |space| io.read(space));
                    io.poll_transfer(cx, Direction::Read, asked, read)
                });
                (result.await, buffer)
            }
        }
    }

    /// The next bytes that arrive, in a buffer that is lent to the program and goes back when it
    /// is dropped; `None` at the end of the stream.
    ///
    /// In a ring, one request stays with the kernel, which receives as bytes come: up to 16
    /// chunks ahead of who asks.
    ///
    /// *Cancel safety:* if it is dropped, the bytes are for who asks next.
    ///
    /// # Errors
    /// Those of the connection; when the runtime is shut down.
    ///
    /// # Examples
    /// An echo:
    /// ```no_run
    /// # async fn f(mut stream: yamanote::owned::TcpStream) -> std::io::Result<()> {
    /// while let Some(chunk) = stream.chunk().await? {
    ///     stream.send_all(chunk).await.0?;
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn chunk(&mut self) -> io::Result<Option<Chunk>> {
        match &self.0 {
            StreamIo::Ring(conversation) => poll_fn(|cx| conversation.poll_chunk(cx)).await,
            StreamIo::Ready(io) => poll_fn(|cx| poll_chunk(io, cx)).await,
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let StreamIo::Ring(conversation) = &self.0 {
            conversation.forget_receive();
        }
    }
}

impl StreamIo {
    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            StreamIo::Ring(conversation) => SockRef::from(conversation.socket()).shutdown(how),
            StreamIo::Ready(io) => io.shutdown(how),
        }
    }
}

/// A buffer that the kernel may have: if so when this is dropped, nobody waits for it any more.
pub(super) struct Lent<'a> {
    pub(super) held: Option<Held>,
    pub(super) conversation: &'a Conversation,
    pub(super) forget: fn(&Conversation),
}

impl Lent<'_> {
    /// The buffer, after the operation has ended.
    pub(super) fn take<B: 'static>(&mut self) -> B {
        // Nothing is forgotten: what was taken is not with the kernel.
        self.forget = |_| {};
        let held = self.held.take();
        held.expect("an operation that has ended gives the buffer back")
            .into_buffer()
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if self.held.is_none() {
            (self.forget)(self.conversation);
        }
    }
}

/// The next bytes, in a buffer that is had from the pool when they are there.
fn poll_chunk(io: &resource::TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<Option<Chunk>>> {
    let mut received = None;
    let read = || {
        let chunk = received.insert(Chunk::received(|space| io.read(space))?);
        Ok(chunk.len())
    };
    let count = ready!(io.poll_transfer(cx, Direction::Read, Chunk::LEN, read))?;
    Poll::Ready(Ok(received.filter(|_| count > 0)))
}

/// Sends what was posted, and ends all receiving: the socket, which does not block, and what has
/// arrived.
async fn end(conversation: &Conversation) -> io::Result<(OwnedDescriptor, Vec<u8>)> {
    poll_fn(|cx| conversation.poll_posted(cx)).await?;
    poll_fn(|cx| conversation.poll_ended(cx).map(Ok::<_, io::Error>)).await?;
    let socket = conversation.socket().try_clone()?;
    set_blocking(&socket, false)?;
    Ok((socket, conversation.take_waiting()?))
}

impl fmt::Debug for StreamIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamIo::Ring(conversation) => conversation.fmt(f),
            StreamIo::Ready(io) => io.fmt(f),
        }
    }
}

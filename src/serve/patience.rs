//! Connections on which nothing moves are closed: nobody may hold many of them open for nothing.
//!
//! A request has a time limit from the moment its head was read. This is for what comes before and after: who connects and says
//! nothing, says half of it, or does not take the answer.

use std::future::Future;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A connection on which nothing moves for so long is closed; whoever keeps one for later requests sees that by then.
pub(crate) const STILL_MAX: Duration = Duration::from_secs(75);

/// Accepts connections that are closed when nothing moves on them for the time.
#[derive(Debug, Clone)]
pub(crate) struct Patience<A> {
    /// What accepts them.
    pub(crate) inner: A,
    /// The time.
    pub(crate) still_max: Duration,
}

impl<A, I, S> Accept<I, S> for Patience<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Moving<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = Result<(Self::Stream, A::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepting, still_max) = (self.inner.accept(stream, service), self.still_max);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            Ok((Moving::new(stream, still_max), service))
        })
    }
}

/// A connection that fails when nothing moves on it.
#[derive(Debug)]
pub(crate) struct Moving<S> {
    stream: S,
    still_max: Duration,
    /// When something moved last.
    moved: Instant,
    /// Ends no earlier than the time after which nothing has moved; made anew where something has.
    still: Pin<Box<Sleep>>,
}

impl<S> Moving<S> {
    fn new(stream: S, still_max: Duration) -> Self {
        Self {
            stream,
            still_max,
            moved: Instant::now(),
            still: Box::pin(sleep(still_max)),
        }
    }

    /// What comes of a poll of the stream.
    fn seen<T>(&mut self, polled: Poll<Result<T>>, context: &mut Context<'_>) -> Poll<Result<T>> {
        if polled.is_ready() {
            self.moved = Instant::now();
            return polled;
        }
        while self.still.as_mut().poll(context).is_ready() {
            let end = self.moved + self.still_max;
            if end <= Instant::now() {
                let reason = "nothing moved on the connection";
                return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, reason)));
            }
            self.still.as_mut().reset(end);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Moving<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.seen(polled, context)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Moving<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.seen(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.seen(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        // A flush that has nothing to do moves nothing.
        match Pin::new(&mut self.stream).poll_flush(context) {
            Poll::Ready(flushed) => Poll::Ready(flushed),
            Poll::Pending => self.seen(Poll::Pending, context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.seen(polled, context)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::routing::get;
    use axum_server::accept::DefaultAcceptor;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::*;
    use crate::serve::server::limited;

    async fn address() -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let still_max = Duration::from_secs(1);
        let server = axum_server::from_tcp(listener).unwrap();
        let mut server = server.acceptor(Patience {
            inner: DefaultAcceptor::new(),
            still_max,
        });
        limited(server.http_builder(), Duration::from_secs(1));
        let routes = Router::new().route("/", get(|| async { "here" }));
        tokio::spawn(server.serve(routes.into_make_service()));
        address
    }

    /// Whether the connection is closed within some seconds.
    async fn is_closed(stream: &mut TcpStream) -> bool {
        let mut rest = Vec::new();
        timeout(Duration::from_secs(5), stream.read_to_end(&mut rest))
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn who_says_nothing_or_half_of_it_is_not_kept() {
        let address = address().await;
        for said in ["", "P", "PRI * HT", "GET / HTTP/1.1\r\nHost: lo"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(said.as_bytes()).await.unwrap();
            assert!(is_closed(&mut stream).await, "{said:?}");
        }
        // Who says a little now and then, but never all.
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let dribbling = async {
            for _ in 0..40 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                if stream.write_all(b"a: b\r\n").await.is_err() {
                    return true;
                }
            }
            false
        };
        assert!(dribbling.await, "the head of a request has its time too");
    }

    #[tokio::test]
    async fn who_asks_now_and_then_keeps_the_connection() {
        let mut stream = TcpStream::connect(address().await).await.unwrap();
        for _ in 0..8 {
            stream
                .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .await
                .unwrap();
            let mut answer = [0; 512];
            let len = stream.read(&mut answer).await.unwrap();
            assert!(answer[..len].starts_with(b"HTTP/1.1 200"));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert!(is_closed(&mut stream).await);
    }
}

//! Answers that hyper gives by itself, where no request comes to be: a head that is not HTTP, or too large. They are bare;
//! here they become problem documents with an id, like all others.

use super::config::HEAD_BYTES_MAX;
use super::door::Door;
use super::error::{ErrorCode, Failure};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that writes another answer in place of a bare one.
pub(super) struct Dressed<S> {
    stream: S,
    door: Arc<Door>,
    /// What is being written in place of what hyper believes to write.
    instead: Option<Vec<u8>>,
    written: usize,
}

impl<S: AsyncWrite + Unpin> Dressed<S> {
    /// Around the stream of a connection.
    pub(super) fn new(stream: S, door: Arc<Door>) -> Self {
        Self { stream, door, instead: None, written: 0 }
    }

    /// Writes the other answer to its end, and only then says that the bare one is written: hyper closes behind it.
    fn write_instead(&mut self, bare: &[u8], context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let instead = self.instead.get_or_insert_with(|| self.door.refuse(&failure_of(bare)));
        while let Some(rest) = instead.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        Poll::Ready(Ok(bare.len()))
    }
}

/// Whether hyper answers here by itself: with an error, without a body, and without the id that each of our answers has.
/// Two bytes tell almost always.
fn is_bare(head: &[u8]) -> bool {
    let has = |text: &[u8]| head.windows(text.len()).any(|window| window == text);
    head.get(9) == Some(&b'4')
        && head.starts_with(b"HTTP/1.")
        && has(b"\r\ncontent-length: 0\r\n")
        && !has(b"\r\nx-request-id: ")
}

fn failure_of(head: &[u8]) -> Failure {
    match head.get(9..12) {
        Some(b"431") => {
            let detail = format!("the head of a request has at most {HEAD_BYTES_MAX} bytes");
            Failure::new(ErrorCode::HeadersTooLarge, detail)
        }
        _ => Failure::new(ErrorCode::MalformedRequest, "the head of the request is not as RFC 9112 has it"),
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Dressed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Dressed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.instead.is_some() || is_bare(bytes) {
            return self.write_instead(bytes, context);
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) = slices.first()
            && (self.instead.is_some() || is_bare(first))
        {
            return self.write_instead(first, context);
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

use super::disk::{DiskFile, read_full_at};
use std::io;

/// Bytes that are read at once.
const READ_BYTES: usize = 1024 * 1024;

/// Bytes that are read at once where only one frame is wanted.
const PAGE_BYTES: usize = 4 * 1024;

/// A stretch of a file in memory: sequential reading without a call for every frame.
#[derive(Debug)]
pub(super) struct Window {
    buffer: Vec<u8>,
    /// Read at once, where the file has so much.
    ahead: usize,
    start: u64,
    filled: usize,
}

impl Default for Window {
    /// For reading on and on.
    fn default() -> Self {
        Self { buffer: Vec::new(), ahead: READ_BYTES, start: 0, filled: 0 }
    }
}

impl Window {
    /// For reading one frame.
    pub(super) fn of_one_frame() -> Self {
        Self { ahead: PAGE_BYTES, ..Self::default() }
    }

    /// Forgets what was read: another file follows.
    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }

    /// `length` bytes from `offset`, fewer where the file or `limit` ends before. Nothing at or behind `limit` is
    /// read, so that what is written there meanwhile is never kept.
    pub(super) fn bytes(
        &mut self,
        file: &dyn DiskFile,
        offset: u64,
        length: usize,
        limit: u64,
    ) -> io::Result<&[u8]> {
        let room = usize::try_from(limit.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = length.min(room);
        if !self.holds(offset, length) {
            self.fill(file, offset, length.max(self.ahead).min(room))?;
        }
        let from = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        let held = self.buffer.get(..self.filled).and_then(|held| held.get(from..)).unwrap_or_default();
        Ok(held.get(..length).unwrap_or(held))
    }

    fn holds(&self, offset: u64, length: usize) -> bool {
        offset >= self.start && offset + length as u64 <= self.start + self.filled as u64
    }

    fn fill(&mut self, file: &dyn DiskFile, offset: u64, length: usize) -> io::Result<()> {
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
        self.filled = 0;
        self.start = offset;
        self.filled = read_full_at(file, self.buffer.get_mut(..length).unwrap_or_default(), offset)?;
        Ok(())
    }
}

use super::CopiedFrom;
use super::layout::{ChunkKind, HEAD_BYTES, HEADER_BYTES, Head, PLAIN, VERSION, decode_header};
use crate::fields::take;
use crate::store::CatalogueChunk;
use bincode::Decode;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

/// Bytes read ahead.
const READ_AHEAD: usize = 256 * 1024;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueFileError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Disk(#[from] io::Error),
    /// Its bytes are not what was written.
    #[error("it is damaged at byte {offset}")]
    Damaged {
        /// Where the part begins that is not whole.
        offset: u64,
    },
    /// Another engine wrote it.
    #[error("it has version {found}, this engine knows {VERSION}")]
    OtherVersion {
        /// The version in it.
        found: u32,
    },
}

/// Reads a file from its beginning to its end, in memory of a fixed bound.
#[derive(Debug)]
pub struct CatalogueFileReader {
    file: BufReader<File>,
    from: CopiedFrom,
    offset: u64,
    previous: u32,
    sellers: u64,
    products: u64,
    body: Vec<u8>,
}

impl CatalogueFileReader {
    /// Opens a file; `None`: there is none.
    ///
    /// # Errors
    /// It is of no use.
    pub fn open(path: &Path) -> Result<Option<Self>, CatalogueFileError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut file = BufReader::with_capacity(READ_AHEAD, file);
        let mut header = [0; HEADER_BYTES];
        read_exact(&mut file, &mut header, 0)?;
        let (version, from, previous) =
            decode_header(&header).ok_or(CatalogueFileError::Damaged { offset: 0 })?;
        if version != VERSION {
            return Err(CatalogueFileError::OtherVersion { found: version });
        }
        let offset = HEADER_BYTES as u64;
        Ok(Some(Self { file, from, offset, previous, sellers: 0, products: 0, body: Vec::new() }))
    }

    /// What it is a copy of.
    pub fn copied_from(&self) -> CopiedFrom {
        self.from
    }

    /// The next part; `None`: that was all, and all of it is as it was written. Before that nothing is proved.
    ///
    /// # Errors
    /// It is of no use, nor is what it gave before.
    pub fn next_chunk(&mut self) -> Result<Option<CatalogueChunk>, CatalogueFileError> {
        let mut head = [0; HEAD_BYTES];
        read_exact(&mut self.file, &mut head, self.offset)?;
        let (head, crc) =
            Head::decode(&head).filter(|(head, _)| head.previous == self.previous).ok_or(self.damaged())?;
        self.body.resize(head.body_len as usize, 0);
        read_exact(&mut self.file, &mut self.body, self.offset)?;
        if crc32c::crc32c(&self.body) != head.body_crc {
            return Err(self.damaged());
        }
        let mut chunk = CatalogueChunk { as_of_seq: self.from.as_of_seq, ..CatalogueChunk::default() };
        match head.kind {
            ChunkKind::Sellers => chunk.sellers = self.records(head.count)?,
            ChunkKind::Products => chunk.products = self.records(head.count)?,
            ChunkKind::End => return self.end(),
        }
        self.sellers += chunk.sellers.len() as u64;
        self.products += chunk.products.len() as u64;
        self.offset += HEAD_BYTES as u64 + u64::from(head.body_len);
        self.previous = crc;
        Ok(Some(chunk))
    }

    /// As many records as the head says, and nothing behind them. The head has been compared with the body's size, so
    /// the count is bounded.
    fn records<T: Decode<()>>(&self, count: u32) -> Result<Vec<T>, CatalogueFileError> {
        let mut records = Vec::with_capacity(count as usize);
        let mut rest = self.body.as_slice();
        for _ in 0..count {
            let (record, used) = bincode::decode_from_slice(rest, PLAIN).map_err(|_| self.damaged())?;
            records.push(record);
            rest = rest.get(used..).unwrap_or_default();
        }
        if rest.is_empty() { Ok(records) } else { Err(self.damaged()) }
    }

    fn end(&mut self) -> Result<Option<CatalogueChunk>, CatalogueFileError> {
        let stated = |at| take(&self.body, at).map(u64::from_le_bytes);
        let right =
            self.body.len() == 16 && stated(0) == Some(self.sellers) && stated(8) == Some(self.products);
        let nothing_behind = self.file.read(&mut [0])? == 0;
        if right && nothing_behind { Ok(None) } else { Err(self.damaged()) }
    }

    fn damaged(&self) -> CatalogueFileError {
        CatalogueFileError::Damaged { offset: self.offset }
    }
}

/// A file that ends too early is damaged where the part begins that is not whole.
fn read_exact(file: &mut impl Read, buffer: &mut [u8], offset: u64) -> Result<(), CatalogueFileError> {
    file.read_exact(buffer).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => CatalogueFileError::Damaged { offset },
        _ => error.into(),
    })
}

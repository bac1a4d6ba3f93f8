use super::CopiedFrom;
use super::layout::{BODY_FULL, BODY_MAX, ChunkKind, Head, PLAIN, encode_header};
use crate::store::CatalogueChunk;
use bincode::Encode;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes a file beside its place; only [`finish`](Self::finish) puts it there. Dropped before, it leaves nothing
/// behind, and the file that was there stays.
#[derive(Debug)]
pub struct CatalogueFileWriter {
    path: PathBuf,
    /// Where it is written; `None`: it has its name.
    aside: Option<PathBuf>,
    file: BufWriter<File>,
    /// Checksum of the last head.
    previous: u32,
    kind: ChunkKind,
    count: u32,
    body: Vec<u8>,
    written: WrittenCatalogue,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WrittenCatalogue {
    /// Sellers in it.
    pub sellers: u64,
    /// Products in it.
    pub products: u64,
    /// Its size.
    pub bytes: u64,
}

impl CatalogueFileWriter {
    /// Begins a file that is to lie at `path`. One writer a path.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create(path: &Path, from: &CopiedFrom) -> io::Result<Self> {
        let aside = aside(path);
        let file = BufWriter::with_capacity(BODY_FULL, File::create(&aside)?);
        let (header, previous) = encode_header(from);
        let mut writer = Self {
            path: path.to_owned(),
            aside: Some(aside),
            file,
            previous,
            kind: ChunkKind::Sellers,
            count: 0,
            body: Vec::new(),
            written: WrittenCatalogue::default(),
        };
        writer.write(&header)?;
        Ok(writer)
    }

    /// Adds a part of the catalogue.
    ///
    /// # Errors
    /// What the operating system says, or that a record cannot be written in this format.
    pub fn push(&mut self, chunk: &CatalogueChunk) -> io::Result<()> {
        for seller in &chunk.sellers {
            self.record(ChunkKind::Sellers, seller)?;
        }
        for product in &chunk.products {
            self.record(ChunkKind::Products, product)?;
        }
        self.written.sellers += chunk.sellers.len() as u64;
        self.written.products += chunk.products.len() as u64;
        Ok(())
    }

    /// Writes the end, makes the file safe and gives it its name.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(mut self) -> io::Result<WrittenCatalogue> {
        self.close_chunk()?;
        self.kind = ChunkKind::End;
        self.body.extend_from_slice(&self.written.sellers.to_le_bytes());
        self.body.extend_from_slice(&self.written.products.to_le_bytes());
        self.close_chunk()?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        if let Some(aside) = &self.aside {
            std::fs::rename(aside, &self.path)?;
        }
        self.aside = None;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(self.written)
    }

    fn record(&mut self, kind: ChunkKind, record: &impl Encode) -> io::Result<()> {
        if self.kind != kind || self.body.len() >= BODY_FULL {
            self.close_chunk()?;
            self.kind = kind;
        }
        let encoded = bincode::encode_into_std_write(record, &mut self.body, PLAIN);
        encoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.count += 1;
        Ok(())
    }

    fn close_chunk(&mut self) -> io::Result<()> {
        if self.body.is_empty() {
            return Ok(());
        }
        let body = std::mem::take(&mut self.body);
        if body.len() > BODY_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a record is too long for this format"));
        }
        let head = Head {
            kind: self.kind,
            count: std::mem::take(&mut self.count),
            body_len: u32::try_from(body.len()).unwrap_or(u32::MAX),
            previous: self.previous,
            body_crc: crc32c::crc32c(&body),
        };
        let (head, crc) = head.encode();
        self.write(&head)?;
        self.write(&body)?;
        self.previous = crc;
        self.body = body;
        self.body.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }
}

impl Drop for CatalogueFileWriter {
    fn drop(&mut self) {
        // What cannot be removed is overwritten by the next writer.
        if let Some(Err(error)) = self.aside.take().map(std::fs::remove_file) {
            tracing::debug!(%error, "an unfinished catalogue cache file stays where it is");
        }
    }
}

/// Beside its place, so that the rename stays within one file system.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

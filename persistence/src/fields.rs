//! Fields at fixed places of a head, and the checksum behind them: what journal and catalogue cache file share.

/// Writes a field.
pub(crate) fn put<const N: usize>(out: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(place) = out.get_mut(at..at + N) {
        place.copy_from_slice(&bytes);
    }
}

/// Writes the checksum of everything before `at` to `at`.
pub(crate) fn put_crc(out: &mut [u8], at: usize) -> u32 {
    let crc = crc32c::crc32c(out.get(..at).unwrap_or_default());
    put(out, at, crc.to_le_bytes());
    crc
}

/// Whether the checksum at `at` is that of everything before it.
pub(crate) fn crc_holds(bytes: &[u8], at: usize) -> bool {
    let stated = take(bytes, at).map(u32::from_le_bytes);
    stated.is_some() && stated == bytes.get(..at).map(crc32c::crc32c)
}

/// Reads a field.
pub(crate) fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

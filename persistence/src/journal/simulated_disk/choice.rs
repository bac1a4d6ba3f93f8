//! What of the unsynced parts a crash leaves: all ways in turn, or one at random.

use super::random::SplitMix64;
use std::ops::Range;

/// The smallest part that a disk writes whole.
const SECTOR: usize = 512;

/// The part that a system writes at once when it can.
const PAGE: usize = 4096;

/// Asked about every part in a fixed order.
#[derive(Debug)]
pub(super) enum Choice {
    /// Counts the ways. What it leaves says nothing.
    Count(u64),
    /// The way of this number.
    Nth(u64),
    /// One way of many.
    Random(Random),
}

/// One image is made in one mood, so that rare kinds of images are not drowned by the mixed ones.
#[derive(Debug)]
pub(super) struct Random {
    random: SplitMix64,
    /// Parts that are there, of 256.
    kept: u64,
    /// Size of a part.
    block: usize,
    /// Parts are torn at any byte.
    tears: bool,
    /// Where the length is there and the contents are not, old contents of other files are.
    garbage: bool,
}

impl Choice {
    pub(super) fn random(seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let kept = match random.below(6) {
            0 => 16,
            1 => 240,
            _ => 128,
        };
        let block = if random.hits(64) { PAGE } else { SECTOR };
        let (tears, garbage) = (random.hits(64), random.hits(64));
        Self::Random(Random { random, kept, block, tears, garbage })
    }

    /// Whether a part is there.
    pub(super) fn keeps(&mut self) -> bool {
        match self {
            Self::Random(mood) => mood.random.hits(mood.kept),
            _ => self.of(2) == 1,
        }
    }

    /// One of the numbers below `options`.
    fn of(&mut self, options: usize) -> usize {
        let count = options as u64;
        match self {
            Self::Count(ways) => {
                *ways = ways.saturating_mul(count);
                0
            }
            Self::Nth(rest) => {
                let chosen = *rest % count;
                *rest /= count;
                usize::try_from(chosen).unwrap_or_default()
            }
            Self::Random(mood) => usize::try_from(mood.random.below(count)).unwrap_or_default(),
        }
    }

    /// The length after the crash.
    pub(super) fn length(&mut self, lengths: &[usize]) -> usize {
        if lengths.len() < 2 {
            return lengths.first().copied().unwrap_or_default();
        }
        if let Self::Random(Random { random, tears: true, .. }) = self {
            let longest = lengths.iter().copied().max().unwrap_or_default();
            return usize::try_from(random.below(longest as u64 + 1)).unwrap_or_default();
        }
        let chosen = self.of(lengths.len());
        lengths.get(chosen).copied().unwrap_or_default()
    }

    /// Lengthens the contents; what is new is zero, or anything.
    pub(super) fn fill(&mut self, bytes: &mut Vec<u8>, length: usize) {
        let from = bytes.len();
        bytes.resize(length.max(from), 0);
        let fresh = bytes.get_mut(from..).unwrap_or_default();
        if let Self::Random(Random { random, garbage: true, .. }) = self {
            for byte in fresh {
                *byte = random.bits().to_le_bytes()[0];
            }
        }
    }

    /// Hands on the parts of a write that are there.
    pub(super) fn parts(&mut self, offset: usize, bytes: &[u8], mut put: impl FnMut(usize, &[u8])) {
        let block = match self {
            Self::Random(mood) => mood.block,
            _ => SECTOR,
        };
        for part in parts(offset, bytes.len(), block) {
            if !self.keeps() {
                continue;
            }
            let part = self.torn(part);
            put(part.start, bytes.get(part.start - offset..part.end - offset).unwrap_or_default());
        }
    }

    /// The beginning or the end of a part, where parts are torn.
    fn torn(&mut self, part: Range<usize>) -> Range<usize> {
        let Self::Random(Random { random, tears: true, .. }) = self else { return part };
        let length = part.end - part.start;
        let at = part.start + usize::try_from(random.below(length as u64 + 1)).unwrap_or_default();
        match random.below(3) {
            0 => part.start..at,
            1 => at..part.end,
            _ => part,
        }
    }
}

/// The parts of `length` bytes at `offset`, cut at the multiples of `block`.
fn parts(offset: usize, length: usize, block: usize) -> impl Iterator<Item = Range<usize>> {
    let end = offset + length;
    let mut at = offset;
    std::iter::from_fn(move || {
        let next = ((at / block + 1) * block).min(end);
        let part = at..next;
        at = next;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_cut_at_sectors() {
        let cut = |offset, length| parts(offset, length, SECTOR).collect::<Vec<_>>();
        assert!(cut(0, 0).is_empty());
        assert_eq!(cut(510, 4), [510..512, 512..514]);
        assert_eq!(cut(500, 600), [500..512, 512..1024, 1024..1100]);
    }

    #[test]
    fn all_ways_are_numbered() {
        let mut count = Choice::Count(1);
        count.parts(0, &[1; 1024], |_, _| ());
        count.length(&[0, 512, 1024]);
        let Choice::Count(ways) = count else { panic!("still counting") };
        assert_eq!(ways, 12);
        let mut seen = std::collections::BTreeSet::new();
        for way in 0..ways {
            let mut choice = Choice::Nth(way);
            let mut kept = Vec::new();
            choice.parts(0, &[1; 1024], |offset, _| kept.push(offset));
            seen.insert((kept, choice.length(&[0, 512, 1024])));
        }
        assert_eq!(seen.len(), 12);
    }
}

use std::time::{SystemTime, UNIX_EPOCH};

/// Random numbers that can be thrown again: the seed is printed, and `FLOODGATE_SEED` sets it.
pub struct Dice(u64, u64);

impl Dice {
    pub fn new(test: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let given = std::env::var("FLOODGATE_SEED").ok().map(|text| text.parse().unwrap());
        let seed = given.unwrap_or(u64::try_from(now).unwrap());
        println!("{test}: FLOODGATE_SEED={seed}");
        Self(seed, seed)
    }

    /// Dice of its own for each thread, all from one seed.
    pub fn split(&mut self) -> Self {
        let seed = self.next();
        Self(seed, seed)
    }

    /// The number that throws them again.
    pub fn seed(&self) -> u64 {
        self.1
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of 0 … `sides` − 1.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }

    /// A place in a list of `length`.
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    /// One of `from` … `to`.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }
}

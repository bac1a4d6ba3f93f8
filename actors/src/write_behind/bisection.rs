//! Finds the records of a refused stretch that the database does not take, by halves.

/// Records above `from`, up to `to`.
pub type Stretch = (u64, u64);

/// What is still to be tried of a refused batch, in order. A bad record costs at most two tries a halving, so about
/// 2·log2 of the batch's size, however many there are; and one after which nothing else is bad costs half of that.
#[derive(Debug, Default)]
pub struct Bisection {
    /// The next one last.
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    stretch: Stretch,
    /// Its left half, as long as nothing of that was refused: once that is written whole, the bad one is here.
    brother: Option<Stretch>,
    proven: bool,
}

impl Bisection {
    /// The next stretch to try. `None`: the search is over.
    pub fn next(&mut self) -> Option<Stretch> {
        while let Some(waiting) = self.waiting.pop_if(|waiting| waiting.proven && length(waiting.stretch) > 1)
        {
            self.split(waiting.stretch);
        }
        self.waiting.last().map(|waiting| waiting.stretch)
    }

    /// A stretch was refused. A single record stays the next one: it is found.
    pub fn refused(&mut self, stretch: Stretch) {
        self.waiting.pop_if(|waiting| waiting.stretch == stretch);
        if let Some(right) = self.waiting.last_mut() {
            right.brother = None;
        }
        if length(stretch) > 1 {
            self.split(stretch);
        } else {
            self.waiting.push(Waiting { stretch, brother: None, proven: false });
        }
    }

    /// All up to here is in the store.
    pub fn written(&mut self, stretch: Stretch) {
        while self.waiting.pop_if(|waiting| waiting.stretch.1 <= stretch.1).is_some() {}
        if let Some(right) = self.waiting.last_mut() {
            right.proven |= right.brother == Some(stretch);
        }
    }

    fn split(&mut self, (from, to): Stretch) {
        let middle = from + (to - from) / 2;
        let left = (from, middle);
        self.waiting.push(Waiting { stretch: (middle, to), brother: Some(left), proven: false });
        self.waiting.push(Waiting { stretch: left, brother: None, proven: false });
    }
}

fn length((from, to): Stretch) -> u64 {
    to - from
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches 1 … `count`; the tries it took.
    fn search(count: u64, bad: &[u64]) -> usize {
        let (mut bisection, mut found, mut tries, mut at) = (Bisection::default(), Vec::new(), 0, 0);
        bisection.refused((0, count));
        while let Some((from, to)) = bisection.next() {
            tries += 1;
            assert_eq!(from, at, "in order, without a gap");
            let is_bad = |seq: &u64| *seq > from && *seq <= to && !found.contains(seq);
            match bad.iter().find(|seq| is_bad(seq)) {
                Some(_) => {
                    bisection.refused((from, to));
                    if to == from + 1 {
                        found.push(to);
                    }
                }
                None => {
                    bisection.written((from, to));
                    at = to;
                }
            }
        }
        assert_eq!((at, found.as_slice()), (count, bad));
        tries
    }

    #[test]
    fn every_bad_record_is_found_in_few_tries() {
        for (count, bad, tries_max) in [
            (1, vec![1], 2),
            (2, vec![2], 4),
            (8192, vec![1], 30),
            (8192, vec![8192], 30),
            (8192, vec![4000, 4001, 8000], 3 * 30),
            (8192, (1..=10).map(|n| n * 800).collect(), 10 * 30),
            (16, (1..=16).collect(), 64),
        ] {
            let tries = search(count, &bad);
            assert!(tries <= tries_max, "{tries} tries for {bad:?} of {count}");
        }
    }
}

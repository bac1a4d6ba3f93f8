use std::time::Duration;

/// The shape of a load: how many users, and who is there when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// 100 users from the first moment to the last.
    Baseline,
    /// 1,000 users, who come one after the other during the first quarter.
    Stress,
    /// 10,000 users: a tenth of them all the time, the rest at once after a quarter, for half of the time.
    Spike,
    /// 1,000 users for an hour, who come during the first twentieth.
    Endurance,
}

/// When a user comes and goes, from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Comes.
    pub from: Duration,
    /// Asks for nothing from here on.
    pub until: Duration,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Baseline, Self::Stress, Self::Spike, Self::Endurance];

    /// As the command line has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Stress => "stress",
            Self::Spike => "spike",
            Self::Endurance => "endurance",
        }
    }

    /// Users, where nothing else is asked for.
    pub const fn users(self) -> usize {
        match self {
            Self::Baseline => 100,
            Self::Stress | Self::Endurance => 1_000,
            Self::Spike => 10_000,
        }
    }

    /// How long, where nothing else is asked for.
    pub const fn duration(self) -> Duration {
        match self {
            Self::Baseline | Self::Spike => Duration::from_secs(60),
            Self::Stress => Duration::from_secs(120),
            Self::Endurance => Duration::from_secs(60 * 60),
        }
    }

    /// When user `number` of `users` is there.
    pub fn presence(self, number: usize, users: usize, duration: Duration) -> Presence {
        let share = |of: Duration| {
            of.mul_f64(crate::bench::quotient(
                crate::bench::real(number as u64),
                crate::bench::real(users as u64),
            ))
        };
        let (from, until) = match self {
            Self::Baseline => (Duration::ZERO, duration),
            Self::Stress => (share(duration / 4), duration),
            Self::Spike if number < users.div_ceil(10) => (Duration::ZERO, duration),
            Self::Spike => (duration / 4, duration / 4 * 3),
            Self::Endurance => (share(duration / 20), duration),
        };
        Presence { from, until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are there at each eighth of the time.
    #[test]
    fn each_tier_has_its_shape() {
        let second = Duration::from_secs(1);
        for (tier, there) in [
            (Tier::Baseline, [100, 100, 100, 100, 100, 100, 100, 100]),
            (Tier::Stress, [1, 51, 100, 100, 100, 100, 100, 100]),
            (Tier::Spike, [10, 10, 100, 100, 100, 100, 10, 10]),
            (Tier::Endurance, [1, 100, 100, 100, 100, 100, 100, 100]),
        ] {
            for (eighth, expected) in (0..8).zip(there) {
                let now = second * eighth;
                let presences = (0..100).map(|number| tier.presence(number, 100, second * 8));
                let found = presences.filter(|presence| presence.from <= now && now < presence.until).count();
                assert_eq!(found, expected, "{tier:?} at {eighth}/8");
            }
        }
    }
}

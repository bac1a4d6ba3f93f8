/// What is done to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Making a file.
    Create,
    /// Writing to a file.
    Write,
    /// Syncing a file, its metadata or not.
    Sync,
    /// Renaming a file.
    Rename,
    /// Removing a file.
    Remove,
    /// Syncing a directory.
    SyncDir,
}

/// How it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`. A write has written some of its first bytes. After a failed sync of a file every part of what was
    /// unsynced has come to the disk or never will, though it can still be read, and later syncs succeed: so do
    /// Linux file systems.
    Io,
    /// `ENOSPC`, with the same consequences.
    Full,
    /// A write writes some of its first bytes and says how many. Other operations go well.
    Short,
    /// A sync says that it went well and makes nothing safe. Other operations go well.
    Lie,
}

/// Which operations go wrong, counted from when it was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedFault {
    /// Of which kind.
    pub operation: Operation,
    /// So many of them go well before.
    pub after: u64,
    /// So many of them go wrong then.
    pub times: u64,
    /// How.
    pub fault: Fault,
}

/// The faults that are still to come.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    faults: Vec<PlannedFault>,
    pub(super) fired: u64,
}

impl Plan {
    pub(super) fn add(&mut self, fault: PlannedFault) {
        self.faults.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
    }

    /// What goes wrong with the operation that is now at hand.
    pub(super) fn next(&mut self, operation: Operation) -> Option<Fault> {
        let mut due = None;
        for planned in self.faults.iter_mut().filter(|planned| planned.operation == operation) {
            if planned.after > 0 {
                planned.after -= 1;
            } else if planned.times > 0 {
                planned.times -= 1;
                due.get_or_insert(planned.fault);
            }
        }
        self.fired += u64::from(due.is_some());
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_when_they_are_planned() {
        let mut plan = Plan::default();
        plan.add(PlannedFault { operation: Operation::Sync, after: 2, times: 2, fault: Fault::Io });
        plan.add(PlannedFault { operation: Operation::Write, after: 0, times: 1, fault: Fault::Short });
        assert_eq!(plan.next(Operation::Write), Some(Fault::Short));
        assert_eq!(plan.next(Operation::Write), None);
        let syncs: Vec<bool> = (0..5).map(|_| plan.next(Operation::Sync).is_some()).collect();
        assert_eq!(syncs, [false, false, true, true, false]);
        assert_eq!(plan.fired, 3);
    }
}

//! Which test finds which bug.

use floodgate_persistence::planted::Planted::{self, *};

/// A test target's package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Package {
    Persistence,
    Actors,
    Engine,
}

impl std::fmt::Display for Package {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Persistence => "floodgate-persistence",
            Self::Actors => "floodgate-actors",
            Self::Engine => "floodgate",
        })
    }
}

impl Package {
    /// From the root.
    pub fn dir(self) -> &'static str {
        match self {
            Self::Persistence => "persistence",
            Self::Actors => "actors",
            Self::Engine => ".",
        }
    }
}

/// The test that finds a bug.
#[derive(Debug)]
pub struct Finder {
    pub bug: Planted,
    pub package: Package,
    /// The test target; `lib`: the unit tests.
    pub target: &'static str,
    /// Its whole name.
    pub test: &'static str,
}

/// Last names of tests that run once a store.
pub const STORES: [&str; 4] = ["sqlite", "mariadb", "on_sqlite", "on_mariadb"];

const fn journal(bug: Planted, test: &'static str) -> Finder {
    Finder { bug, package: Package::Persistence, target: "journal", test }
}

const fn crash_images(bug: Planted) -> Finder {
    let test = "everything_acknowledged_survives_every_crash";
    Finder { bug, package: Package::Persistence, target: "crash_images", test }
}

const fn store(bug: Planted, target: &'static str, test: &'static str) -> Finder {
    Finder { bug, package: Package::Persistence, target, test }
}

const fn actors(bug: Planted, target: &'static str, test: &'static str) -> Finder {
    Finder { bug, package: Package::Actors, target, test }
}

const fn engine(bug: Planted, target: &'static str, test: &'static str) -> Finder {
    Finder { bug, package: Package::Engine, target, test }
}

/// One row a bug.
#[rustfmt::skip]
pub const FINDERS: &[Finder] = &[
    crash_images(AnswerBeforeSync),
    journal(ReadBeforeSync, "synced_only_is_read::readers_see_a_frame_only_after_its_sync_returned"),
    journal(SyncRetried, "first_failure_poisons::a_failed_write_or_sync_is_never_tried_again"),
    crash_images(NewSegmentNotInDirectory),
    journal(OldSegmentNotInDirectory, "first_failure_poisons::a_failed_removal_of_a_consumed_segment_poisons"),
    journal(OldBytesKept, "released_segments_go::a_recycled_segment_holds_nothing_old"),
    journal(SegmentGoneTooEarly, "released_segments_go::what_is_consumed_and_old_goes_and_nothing_else"),
    journal(JournalNotLocked, "append_and_reopen::the_directory_is_locked"),
    journal(LengthBeforeChecksum, "every_bit_and_every_length::every_bit"),
    journal(BodyNotChecked, "every_bit_and_every_length::every_bit"),
    journal(ChainNotChecked, "files_in_the_wrong_place::a_journal_from_another_run_of_the_same_node_does_not_fit_in"),
    journal(SegmentNumberNotChecked, "torn_tail_is_cut::a_frame_of_a_recycled_segment_never_counts"),
    journal(NodeNotChecked, "files_in_the_wrong_place::missing_doubled_swapped_and_foreign_segments_are_refused_by_name"),
    journal(DamageTakenForTail, "golden_damage::a_start_finds_what_is_wrong_and_where"),
    journal(TailNotZeroed, "torn_tail_is_cut::at_every_point_of_the_last_frame"),
    journal(TailNotWrittenAnew, "first_failure_poisons::what_a_failed_sync_left_behind_is_written_anew_at_the_next_start"),
    journal(ShortJournalTaken, "files_in_the_wrong_place::a_journal_shorter_than_the_store_is_refused"),
    store(CheckpointNotCompared, "store_checkpoint", "a_compare_and_set_without_a_row_has_four_answers::mariadb"),
    store(EpochNotCompared, "store_checkpoint", "an_older_epoch_is_fenced::mariadb"),
    store(CheckpointApart, "store_failures", "bad_data_is_refused_whole::mariadb"),
    store(CommitAfterError, "store_failures", "a_lock_that_another_holds_is_waited_for_and_then_retried"),
    store(SessionKeptAfterError, "store_failures", "a_lock_that_another_holds_is_waited_for_and_then_retried"),
    engine(ForeignStoreTaken, "one_writer", "a_running_engine_does_not_write_to_anothers_database"),
    store(InsertIgnore, "store_checkpoint", "a_duplicate_of_our_own_key_is_not_papered_over::mariadb"),
    store(StockDeltaLost, "store_stock", "stock_folds_as_a_table::sqlite"),
    engine(ShareLost, "reconciliation", "a_busy_system_agrees::on_sqlite"),
    store(OldKeysKept, "store_checkpoint", "keys_leave_the_window_oldest_first::sqlite"),
    engine(StockReleasedTwice, "contention", "refused_carts_give_everything_back"),
    engine(HoldLeaked, "contention", "refused_carts_give_everything_back"),
    actors(StockFromStoreTaken, "interleavings", "a_warm_up_brings_in_terms_from_outside_and_leaves_stock_alone"),
    actors(OldRowTaken, "interleavings", "a_warm_up_does_not_undo_a_change_that_the_store_does_not_have_yet"),
    actors(StockSoldBeforeDurable, "interleavings", "stock_that_comes_cannot_be_sold_before_it_is_durable"),
    actors(StockTakenLate, "interleavings", "stock_that_leaves_is_taken_before_it_is_durable"),
    actors(PermitLeaked, "lib", "admission::tests::a_batch_is_admitted_or_shed_whole"),
    engine(SoldPieceKept, "reconciliation", "a_busy_system_agrees::on_sqlite"),
    actors(KeyNotBurnt, "interleavings", "a_client_gone_in_mid_checkout_changes_nothing"),
    engine(KeyNotReplayed, "database_down", "a_crash_meanwhile_costs_nothing"),
    actors(KeyNotLoaded, "interleavings", "keys_timers_and_counters_outlive_the_segments"),
    actors(KeyKeptOnRefusal, "interleavings", "a_miss_with_the_store_away_is_not_a_refusal"),
    actors(KeysNeverForgotten, "lib", "idempotency::tests::the_oldest_go_first_by_number_and_by_age"),
    engine(BatchKeysApart, "lib", "http::batch::tests::keys_of_a_batch_live_beside_those_of_single_checkouts"),
    actors(UnknownToldAsRefused, "interleavings", "a_failed_sync_is_the_end"),
    actors(OrderIdReused, "cache_file", "a_start_from_the_file_equals_the_state_before_the_kill"),
    actors(InvoiceNumberSkipped, "interleavings", "keys_timers_and_counters_outlive_the_segments"),
    actors(ClockGoesBack, "time_never_runs_back", "a_clock_that_was_set_back_changes_nothing"),
    actors(OverflowUnchecked, "rules_add_up", "what_does_not_fit_is_refused"),
    actors(CommissionPerLine, "rules_add_up", "parts_add_up"),
];

//! What the journal promises: one file, one promise.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test that fails says where"
)]

#[path = "../../../tests/common/faults.rs"]
mod faults;
mod life_events;
mod memory_disk;
mod support;

mod append_and_reopen;
mod damage_is_never_accepted;
mod every_bit_and_every_length;
mod every_event_comes_back;
mod files_in_the_wrong_place;
mod first_failure_poisons;
mod golden_damage;
mod golden_files;
mod golden_life;
mod released_segments_go;
mod repair_keeps_what_is_sound;
mod resume_after_loss;
mod segments_are_prepared_ahead;
mod synced_only_is_read;
mod torn_tail_is_cut;
mod weaker_sync_modes;

//! The `floodgate` program.

use std::process::ExitCode;

/// An order is made on one thread and freed on another, which this allocator is built for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    floodgate::cli::main()
}

//! `cargo bench`: the same as `floodgate bench`, short by default. Arguments go behind `--`.

use clap::Parser;
use floodgate::cli::bench::Bench;
use std::process::ExitCode;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    bench: Bench,
    /// Handed over by cargo
    #[arg(long = "bench", hide = true)]
    _by_cargo: bool,
}

fn main() -> ExitCode {
    let nothing_chosen = std::env::args_os().skip(1).all(|argument| argument == "--bench");
    let quick = nothing_chosen.then(|| "--quick".into());
    let arguments = Arguments::parse_from(std::env::args_os().chain(quick));
    match arguments.bench.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floodgate bench: {error}");
            ExitCode::FAILURE
        }
    }
}

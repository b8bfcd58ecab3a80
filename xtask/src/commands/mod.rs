//! The commands, one file or folder each. A new one is a file and a line here.

mod bench;
mod codegen;
mod console;
mod dist;
mod faults;
mod fuzz;
mod real_model;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::Subcommand;

/// What `cargo xtask` can be told to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check what the compiler does not: arrows, lengths, words, generated files, documents
    Tidy,
    /// Write the files that are made of the code: schemas and the command line reference
    Codegen,
    Console(console::Args),
    Test(test::Args),
    Bench(bench::Args),
    Faults(faults::Args),
    Fuzz(fuzz::Args),
    RealModel(real_model::Args),
    Dist(dist::Args),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Tidy => tidy::run(),
            Self::Codegen => codegen::run(),
            Self::Console(args) => console::run(&args),
            Self::Test(args) => test::run(&args),
            Self::Bench(args) => bench::run(args),
            Self::Faults(args) => faults::run(&args),
            Self::Fuzz(args) => fuzz::run(&args),
            Self::RealModel(args) => real_model::run(&args),
            Self::Dist(args) => dist::run(&args),
        }
    }
}

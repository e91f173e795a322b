//! The `tribune` program. Everything is in the library.

fn main() -> std::process::ExitCode {
    tribune::cli::main()
}

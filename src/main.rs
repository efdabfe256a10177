//! Parse, log, dispatch, exit code: nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A dead thread in a living process is the worst state of a kiosk: systemd restarts it in seconds.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
    }));
    linly_edge::cli::main(std::env::args_os())
}

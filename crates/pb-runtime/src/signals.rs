//! Being asked to stop.

use std::future::pending;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT of this process, and of a daemon SIGHUP.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    /// Of a daemon.
    hangup: Option<Signal>,
    hangup_stops: bool,
}

impl StopSignals {
    /// Starts to listen; from now on the signals do not end the process by themselves.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: None,
            hangup_stops: false,
        })
    }

    /// The same for a daemon: a SIGHUP stops one that has a terminal, and changes nothing for others.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn of_daemon(has_terminal: bool) -> io::Result<Self> {
        let hangup = Some(signal(SignalKind::hangup())?);
        Ok(Self { hangup, hangup_stops: has_terminal, ..Self::listen()? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                () = hangs_up(self.hangup.as_mut()) => {
                    if self.hangup_stops {
                        return;
                    }
                    tracing::info!("a SIGHUP changes nothing: settings are read at the start, by pb restart");
                }
            }
        }
    }
}

async fn hangs_up(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => pending().await,
    }
}

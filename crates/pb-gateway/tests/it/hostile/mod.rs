//! Clients that mean harm. Each test has somebody beside them who behaves, and is answered in time.

mod close_games;
mod floods;
mod frames;
mod lingering;

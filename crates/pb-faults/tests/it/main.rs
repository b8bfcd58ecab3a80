//! The faults in their smoke size, with the suite's own program for what is killed.

#[cfg(test)]
mod f09_malformed;

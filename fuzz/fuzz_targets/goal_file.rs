#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pb_fuzz::goal_file(bytes));

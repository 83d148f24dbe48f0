#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::claims::bundles::hold(data));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::mutate::in_pem(data, size, max_size, seed)
});

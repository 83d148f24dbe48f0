//! The number of a list, which only grows (RFC 5280 section 5.2.3).

use std::cmp::Ordering;
use std::fmt;

/// An integer of up to 20 octets; compares by value. Prints in decimal up to 128 bits, else as hex.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CrlNumber(Vec<u8>);

impl CrlNumber {
    /// From an unsigned big-endian integer; leading zeros say nothing.
    pub(crate) fn from_be_bytes(bytes: &[u8]) -> Self {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Self(bytes[zeros..].to_vec())
    }

    /// As a `u64`, if it is no more.
    pub fn to_u64(&self) -> Option<u64> {
        self.to_u128()?.try_into().ok()
    }

    fn to_u128(&self) -> Option<u128> {
        let fits = self.0.len() <= 16;
        fits.then(|| self.0.iter().fold(0, |value, byte| value << 8 | u128::from(*byte)))
    }
}

impl From<u64> for CrlNumber {
    fn from(number: u64) -> Self {
        Self::from_be_bytes(&number.to_be_bytes())
    }
}

impl Ord for CrlNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for CrlNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_u128() {
            Some(number) => write!(f, "{number}"),
            None => write!(f, "0x{}", crate::hex::lower(&self.0)),
        }
    }
}

impl fmt::Debug for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn numbers_compare_by_value_whatever_their_length() {
        let number = |bytes: &[u8]| CrlNumber::from_be_bytes(bytes);
        assert_eq!(number(&[0, 0, 7]), CrlNumber::from(7));
        assert!(CrlNumber::from(255) < CrlNumber::from(256));
        assert!(CrlNumber::from(u64::MAX) < number(&[1; 20]));
        assert!(number(&[1; 20]) < number(&[2; 20]));
    }

    #[test]
    fn a_number_prints_as_what_it_is() {
        assert_eq!(CrlNumber::from(0).to_string(), "0");
        assert_eq!(CrlNumber::from(4096).to_string(), "4096");
        let longest = CrlNumber::from_be_bytes(&[0xab; 20]);
        assert_eq!(longest.to_string(), format!("0x{}", "ab".repeat(20)));
        assert_eq!((CrlNumber::from(9).to_u64(), longest.to_u64()), (Some(9), None));
    }
}

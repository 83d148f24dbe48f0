//! IPv4 address ranges: parsed, printed, compared. Nothing about who uses them.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use anyhow::{Context as _, Result, ensure};

/// An IPv4 range in CIDR notation, without host bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    first: Ipv4Addr,
    bits: u8,
}

impl Cidr {
    /// The /24 that starts at `a.b.c.0`.
    pub(crate) const fn slash24(a: u8, b: u8, c: u8) -> Self {
        Self { first: Ipv4Addr::new(a, b, c, 0), bits: 24 }
    }

    /// The address that many after the first one.
    pub(crate) fn host(self, number: u8) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.to_bits() + u32::from(number))
    }

    /// The length of the prefix.
    pub(crate) fn bits(self) -> u8 {
        self.bits
    }

    /// Whether any address is in both.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        let mask = mask(self.bits.min(other.bits));
        self.first.to_bits() & mask == other.first.to_bits() & mask
    }
}

fn mask(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

/// An address without a prefix length is a range of one.
impl FromStr for Cidr {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (first, bits) = text.split_once('/').unwrap_or((text, "32"));
        let context = || format!("`{text}` is not an IPv4 range such as 10.0.0.0/8");
        let first: Ipv4Addr = first.parse().with_context(context)?;
        let bits: u8 = bits.parse().with_context(context)?;
        ensure!(bits <= 32, "`{text}` has a prefix longer than an IPv4 address");
        let below = first.to_bits() & !mask(bits);
        ensure!(below == 0, "`{text}` has bits below its prefix");
        Ok(Self { first, bits })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_range_prints_as_it_was_written() {
        for text in ["10.201.7.0/24", "0.0.0.0/0", "192.0.2.1/32"] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), text);
        }
        assert_eq!("192.0.2.1".parse::<Cidr>().unwrap().to_string(), "192.0.2.1/32");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        let cases = [
            ("fd00::/64", "`fd00::/64` is not an IPv4 range such as 10.0.0.0/8"),
            ("10.0.0.0/33", "`10.0.0.0/33` has a prefix longer than an IPv4 address"),
            ("10.0.0.1/8", "`10.0.0.1/8` has bits below its prefix"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Cidr>().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn ranges_overlap_when_one_holds_the_other() {
        let cases = [
            ("10.201.1.0/24", "10.201.1.0/24", true),
            ("10.201.1.0/24", "10.0.0.0/8", true),
            ("10.201.1.7", "10.201.1.0/24", true),
            ("10.201.1.0/24", "10.201.2.0/24", false),
            ("10.201.1.0/24", "192.0.2.0/24", false),
            ("0.0.0.0/0", "192.0.2.0/24", true),
        ];
        for (a, b, expected) in cases {
            let (a, b): (Cidr, Cidr) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!((a.overlaps(b), b.overlaps(a)), (expected, expected), "{a} and {b}");
        }
    }

    #[test]
    fn hosts_are_counted_from_the_first_address() {
        assert_eq!(Cidr::slash24(10, 201, 3).host(2).to_string(), "10.201.3.2");
    }
}

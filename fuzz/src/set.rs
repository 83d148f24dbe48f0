//! Several files in one input: a line `@@ NAME` before each, and before the first the words that say
//! what they are judged for.

use pki::{BundleFiles, Context, IstioVersion};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::claims::NOW;

/// What lies before the files in place of a name.
const MARK: &str = "@@ ";

/// The input, taken apart.
pub(crate) struct Set<'a> {
    words: Vec<&'a [u8]>,
    pub(crate) parts: Vec<(String, &'a [u8])>,
}

impl<'a> Set<'a> {
    pub(crate) fn read(data: &'a [u8]) -> Self {
        let mut starts: Vec<usize> = (0..data.len())
            .filter(|&at| {
                data[at..].starts_with(MARK.as_bytes()) && (at == 0 || data[at - 1] == b'\n')
            })
            .collect();
        let head = &data[..starts.first().copied().unwrap_or(data.len())];
        starts.push(data.len());
        let part = |range: &[usize]| {
            let part = &data[range[0] + MARK.len()..range[1]];
            let end = part.iter().position(|byte| *byte == b'\n').unwrap_or(part.len());
            let content = part.get(end + 1..).unwrap_or_default();
            (String::from_utf8_lossy(&part[..end]).into_owned(), content)
        };
        Self {
            words: head.split(|byte| byte.is_ascii_whitespace()).collect(),
            parts: starts.windows(2).map(part).collect(),
        }
    }

    /// The part of this name.
    pub(crate) fn part(&self, name: &str) -> Option<&'a [u8]> {
        self.parts.iter().find(|(found, _)| found == name).map(|(_, content)| *content)
    }

    /// Every part but those that are no files.
    pub(crate) fn files(&self) -> BundleFiles {
        let mut files = BundleFiles::new();
        for (name, content) in
            self.parts.iter().filter(|(name, _)| !NO_FILES.contains(&name.as_str()))
        {
            files.insert(name.clone(), content);
        }
        files
    }

    fn word(&self, name: &str) -> Option<&'a str> {
        let word = self.words.iter().find_map(|word| word.strip_prefix(name.as_bytes()))?;
        std::str::from_utf8(word).ok()
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.word("now=").and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok()).unwrap_or(NOW)
    }

    pub(crate) fn context(&self) -> Context {
        let days = |name| {
            let number = self.word(name).and_then(|text| text.parse::<u16>().ok());
            Duration::days(number.unwrap_or_default().into())
        };
        let istio = self.word("istio=").and_then(|text| text.parse().ok());
        Context {
            multi_root: self.word("multi-root").is_some(),
            ambient: self.word("ambient").is_some(),
            current: self.part(CURRENT).map(<[u8]>::to_vec),
            fail_within: days("fail="),
            warn_within: days("warn="),
            ..Context::new(self.now(), istio.unwrap_or(IstioVersion::NEWEST), "cluster.local")
        }
    }
}

/// The root-cert.pem that a running istiod has.
const CURRENT: &str = "current";

const NO_FILES: [&str; 2] = [CURRENT, "served"];

//! What a fuzzer claims about pictures.

use pki::Certificate;
use time::OffsetDateTime;

use super::tree::Tree;
use super::{html, mermaid, svg, text};

/// Every form of a tree, one after the other: each certificate stands in it once.
pub(crate) fn pictures(found: &[(String, Certificate)], now: OffsetDateTime) -> String {
    let tree = Tree::of(found, now);
    let mut certificates: Vec<_> = found.iter().map(|(_, it)| it.fingerprint()).collect();
    certificates.sort();
    certificates.dedup();
    assert_eq!(tree.rows().len(), certificates.len());
    if tree.is_empty() {
        return String::new();
    }
    let text = text::draw(&tree);
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    let svg = svg::draw(&tree);
    let pictures = [text, svg, html::draw(&tree), mermaid::draw(&tree)].join("\n");
    pictures + &serde_json::json!(tree).to_string()
}

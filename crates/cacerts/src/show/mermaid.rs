//! A Mermaid flowchart (mermaid.js.org).

use super::tree::{Node, State, Tree};

pub(super) fn draw(tree: &Tree) -> String {
    let mut text = String::from("flowchart TD\n");
    let mut count = 0;
    for top in tree.tops() {
        draw_node(top, 0, &mut count, &mut text);
    }
    text.push_str("  classDef over fill:#f8d7da,stroke:#a4262c,color:#111\n");
    text
}

/// Returns the number of the node.
fn draw_node(node: &Node, depth: usize, count: &mut usize, text: &mut String) -> usize {
    let number = *count;
    *count += 1;
    let mut lines = vec![node.subject.as_str()];
    let (kind, life, short) = (node.kind(), node.life(), format!("{}..", node.short()));
    lines.extend([kind.as_str(), life.as_str(), short.as_str()]);
    let lines: Vec<_> = lines.into_iter().map(escaped).collect();
    let class = if node.state == State::Valid { "" } else { ":::over" };
    text.push_str(&format!("  n{number}[\"{}\"]{class}\n", lines.join("<br/>")));
    if let Some(issuer) = node.lost(depth) {
        text.push_str(&format!(
            "  lost{number}([\"not here: {}\"]) -.-> n{number}\n",
            escaped(issuer)
        ));
    }
    for child in &node.signed {
        let below = draw_node(child, depth + 1, count, text);
        text.push_str(&format!("  n{number} -->|signs| n{below}\n"));
    }
    number
}

/// Mermaid's entity codes for all that it or HTML would read.
fn escaped(text: &str) -> String {
    let escape = |character: char| match character {
        '"' | '<' | '>' | '&' | '#' | '`' | '[' | ']' | '|' | '\\' | '{' | '}' | ';' => {
            format!("#{};", u32::from(character))
        }
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}

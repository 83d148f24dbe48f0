//! The tree for a terminal, with a bar for each lifetime.

use super::tree::{Node, State, Tree};

/// Columns of a bar.
const BAR: usize = 40;

pub(super) fn draw(tree: &Tree) -> String {
    let mut text = String::new();
    for top in tree.tops() {
        draw_node(tree, top, 0, "", "", &mut text);
    }
    text
}

/// `first` stands before the first line, `rest` before the others and before what is below.
fn draw_node(tree: &Tree, node: &Node, depth: usize, first: &str, rest: &str, text: &mut String) {
    let below = if node.signed.is_empty() { "  " } else { "│ " };
    let mut line = |before: &str, content: &str| {
        text.push_str(&format!("{before}{content}"));
        text.push('\n');
    };
    line(first, &format!("{} ({})", named(&node.subject), node.kind()));
    let before = format!("{rest}{below}");
    line(&before, &format!("{} {}", bar(tree, node), node.life()));
    line(&before, &format!("{}.. in {}", node.short(), node.files.join(", ")));
    if let Some(issuer) = node.lost(depth) {
        line(&before, &format!("signed by none of these; it names {}", named(issuer)));
    }
    for (index, child) in node.signed.iter().enumerate() {
        let is_last = index + 1 == node.signed.len();
        let (branch, stem) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        draw_node(
            tree,
            child,
            depth + 1,
            &format!("{rest}{branch}"),
            &format!("{rest}{stem}"),
            text,
        );
    }
}

/// A name may be empty: workload certificates have none.
fn named(name: &str) -> &str {
    if name.is_empty() { "(no subject)" } else { name }
}

fn bar(tree: &Tree, node: &Node) -> String {
    let column = |place: f64| ((place * BAR as f64) as usize).min(BAR - 1);
    let (from, to) = (
        column(tree.place(node.validity.not_before())),
        column(tree.place(node.validity.not_after())),
    );
    let now = tree.now().map(column);
    let life = if node.state == State::Valid { '━' } else { '╌' };
    let cell = |at: usize| match now {
        Some(now) if now == at => '┃',
        _ if (from..=to).contains(&at) => life,
        _ => '·',
    };
    (0..BAR).map(cell).collect()
}

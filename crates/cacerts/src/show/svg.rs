//! The tree as a picture: a row for each certificate, its lifetime at the right.

use super::tree::{Node, Role, State, Tree};

const ROW: usize = 64;
const INDENT: usize = 28;
const BOX: usize = 430;
const BAR: usize = 360;
const MARGIN: usize = 20;
const HEAD: usize = 46;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1b1f24}.dim{fill:#59636e;font-size:11px}\
.mono{font:11px ui-monospace,monospace;fill:#59636e}.box{fill:#fff;stroke:#8c959f}\
.root{fill:#ddf4ff;stroke:#0969da}.tier{fill:#fbefff;stroke:#8250df}.ca{fill:#dafbe1;stroke:#1a7f37}\
.life{fill:#2da44e}.over{fill:#cf222e}.track{fill:#eaeef2}.way{stroke:#8c959f;fill:none}\
.now{stroke:#bc4c00;stroke-width:1.5}";

pub(super) fn draw(tree: &Tree) -> String {
    let rows = tree.rows();
    let deepest = rows.iter().map(|(depth, _)| *depth).max().unwrap_or_default();
    let left = MARGIN + deepest * INDENT + BOX + 30;
    let (width, height) = (left + BAR + MARGIN, HEAD + rows.len() * ROW + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"Who signs whom\">\n\
         <style>{STYLE}</style>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    if let Some(now) = tree.now() {
        let x = left as f64 + now * BAR as f64;
        svg.push_str(&format!(
            "<path class=\"now\" d=\"M{x:.1} {}V{}\"/>\n<text class=\"dim\" x=\"{:.1}\" y=\"24\">now\
             </text>\n",
            HEAD - 16,
            height - MARGIN,
            x - 8.0
        ));
    }
    // The row in which the issuer of each depth was last seen.
    let mut above: Vec<usize> = Vec::new();
    for (row, (depth, node)) in rows.iter().enumerate() {
        above.truncate(*depth);
        if let Some(issuer) = above.last() {
            let x = MARGIN + (depth - 1) * INDENT + INDENT / 2;
            let (from, to) = (HEAD + issuer * ROW + 50, HEAD + row * ROW + 25);
            let end = MARGIN + depth * INDENT;
            svg.push_str(&format!("<path class=\"way\" d=\"M{x} {from}V{to}H{end}\"/>\n"));
        }
        above.push(row);
        svg.push_str(&draw_row(tree, node, *depth, HEAD + row * ROW, left));
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_row(tree: &Tree, node: &Node, depth: usize, y: usize, left: usize) -> String {
    let x = MARGIN + depth * INDENT;
    let class = match node.role {
        Role::Root => "root",
        Role::Tier => "tier",
        Role::ClusterCa => "ca",
        Role::Leaf => "",
    };
    let fill = if node.state == State::Valid { "life" } else { "over" };
    let (from, to) =
        (tree.place(node.validity.not_before()), tree.place(node.validity.not_after()));
    let (start, length) = (left as f64 + from * BAR as f64, ((to - from) * BAR as f64).max(2.0));
    let subject = match node.subject.as_str() {
        "" => "(no subject)",
        subject => subject,
    };
    let second = match node.lost(depth) {
        Some(issuer) => format!("{}, signed by none of these: {issuer}", node.kind()),
        None => node.kind(),
    };
    let title = format!("{}\nserial {}\n{}", node.fingerprint, node.serial, node.files.join("\n"));
    format!(
        "<g><title>{}</title>\
         <rect class=\"box {class}\" x=\"{x}\" y=\"{y}\" width=\"{BOX}\" height=\"50\" rx=\"6\"/>\
         <text x=\"{}\" y=\"{}\">{}</text>\
         <text class=\"dim\" x=\"{}\" y=\"{}\">{}</text>\
         <text class=\"mono\" x=\"{}\" y=\"{}\">{}..</text>\
         <rect class=\"track\" x=\"{left}\" y=\"{}\" width=\"{BAR}\" height=\"10\" rx=\"5\"/>\
         <rect class=\"{fill}\" x=\"{start:.1}\" y=\"{}\" width=\"{length:.1}\" height=\"10\" rx=\"5\"/>\
         <text class=\"dim\" x=\"{left}\" y=\"{}\">{}</text></g>\n",
        escaped(&title),
        x + 10,
        y + 16,
        escaped(&cut(subject, 58)),
        x + 10,
        y + 30,
        escaped(&cut(&second, 70)),
        x + 10,
        y + 44,
        escaped(node.short()),
        y + 12,
        y + 12,
        y + 38,
        escaped(&node.life()),
    )
}

/// A box is so wide and no wider; the whole is in the title.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 2).chain("..".chars()).collect()
}

/// For XML and HTML, in text and in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

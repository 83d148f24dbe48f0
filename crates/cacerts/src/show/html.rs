//! A page: the picture, and below it every detail. It loads nothing and runs nothing.

use super::svg::{self, escaped};
use super::tree::Tree;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#1b1f24}\
figure{margin:0 0 2rem;overflow-x:auto}table{border-collapse:collapse}\
td,th{padding:.3rem .8rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #d1d9e0}\
code{font:12px ui-monospace,monospace;overflow-wrap:anywhere}";

pub(super) fn draw(tree: &Tree) -> String {
    let mut rows = String::new();
    for (_, node) in tree.rows() {
        rows.push_str(&format!(
            "<tr><td>{}<br>{}</td><td>{}</td><td>{}</td><td><code>{}<br>serial {}</code></td>\
             <td>{}</td></tr>\n",
            escaped(&node.subject),
            escaped(&node.kind()),
            escaped(&node.issuer),
            escaped(&node.life()),
            escaped(&node.fingerprint),
            escaped(&node.serial),
            node.files.iter().map(|file| escaped(file)).collect::<Vec<_>>().join("<br>"),
        ));
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'unsafe-inline'\">\n<title>Who signs whom</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>Who signs whom</h1>\n<figure>\n{}</figure>\n<table>\n<tr><th>Certificate</th>\
         <th>Issuer</th><th>Lifetime</th><th>Fingerprint</th><th>Files</th></tr>\n{rows}</table>\n\
         </body>\n</html>\n",
        svg::draw(tree)
    )
}

//! A label and what is said beside it, for people.

/// Appends `label` and, from `column` on, `said`, in lines of `width` columns.
pub(crate) fn push(text: &mut String, label: &str, column: usize, said: &str, width: usize) {
    let first = format!("  {label:0$} ", column.saturating_sub(3));
    let next = " ".repeat(column);
    // Names and fingerprints stay whole, for whoever copies them.
    let options = textwrap::Options::new(width.max(column + 20))
        .initial_indent(&first)
        .subsequent_indent(&next)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    text.push_str(&textwrap::fill(said, options));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn what_is_said_stays_in_its_column_and_a_fingerprint_stays_whole() {
        let mut text = String::new();
        push(&mut text, "found", 10, "one two three four five", 30);
        push(&mut text, "expected", 11, "sha256:0123456789012345678901234567", 30);
        let expected = "  found   one two three four\n          five\n  expected \
                        sha256:0123456789012345678901234567\n";
        assert_eq!(text, expected);
    }
}

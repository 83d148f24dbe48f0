//! Commands that exist on every system the harness runs on.

use pretty_assertions::assert_eq;

use super::{Tool, tail};

#[tokio::test]
async fn a_success_brings_both_streams() {
    let output = Tool::new("sh").args(["-c", "echo out; echo err >&2"]).run().await.unwrap();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
}

#[tokio::test]
async fn a_failure_names_command_status_and_stderr() {
    let tool = Tool::new("sh").args(["-c", "echo no such thing >&2; exit 3"]);
    let error = tool.run().await.unwrap_err().to_string();
    let (head, rest) = error.split_once(" after ").unwrap();
    assert_eq!(head, "`sh -c 'echo no such thing >&2; exit 3'` failed (exit status: 3)");
    assert_eq!(rest.split_once(": ").unwrap().1, "no such thing");
}

#[tokio::test]
async fn a_failure_is_an_output_for_who_asks_for_one() {
    let output = Tool::new("sh").args(["-c", "exit 7"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(7));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let error = Tool::new("no-such-program").arg("-v").run().await.unwrap_err();
    assert!(format!("{error:#}").contains("no-such-program"), "{error:#}");
}

#[tokio::test]
async fn more_than_a_pipe_holds_goes_in_and_out() {
    let text = "0123456789abcdef".repeat(64 * 1024);
    let output = Tool::new("cat").stdin(text.clone()).run().await.unwrap();
    assert!(output.stdout == text, "{} of {} bytes came back", output.stdout.len(), text.len());
}

#[tokio::test]
async fn a_program_that_does_not_read_is_judged_by_its_status() {
    let text = "0123456789abcdef".repeat(64 * 1024);
    Tool::new("true").stdin(text).run().await.unwrap();
}

#[test]
fn a_command_line_is_quoted_where_it_would_be_misread() {
    let tool = Tool::new("tool").args(["plain", "two words", "it's", "", "--a=b"]);
    assert_eq!(tool.to_string(), r"tool plain 'two words' 'it'\''s' '' --a=b");
}

#[test]
fn the_tail_is_the_last_lines() {
    assert_eq!(tail("a\nb\nc\n", 2), "b\nc");
    assert_eq!(tail("a\nb\n", 2), "a\nb");
    assert_eq!(tail("\n", 2), "");
}

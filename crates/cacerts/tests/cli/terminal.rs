//! What is asked on a terminal.

use pki::Certificate;
use pretty_assertions::assert_eq;

use crate::desk::Desk;

#[test]
fn on_a_terminal_only_a_yes_signs() {
    let desk = Desk::with_root();
    desk.ok(&["request", "c1", "--dir", "post"]);
    let before = desk.state();
    let args = ["sign", "post/c1.request.pem", "--dir", "ca"];
    let question = format!(
        "Sign this CA with the root CN=Root CA,O=Istio, {}? [y/N] ",
        Certificate::from_pem(&desk.read("ca/root-cert.pem")).unwrap().fingerprint()
    );
    const END_OF_FILE: &str = "\x04";
    for no in ["n\n", "no\n", "\n", "yes please\n", "ye\n", END_OF_FILE] {
        let said = desk.typed(&args, no);
        let expected = format!("{question}error: nothing was signed: it was not confirmed\n");
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{no:?}");
        assert!(said.err.ends_with(&expected), "{no:?}: {}", said.err);
        assert_eq!(desk.state(), before, "{no:?}");
    }
    for yes in ["y\n", "yes\n", " YES \n"] {
        let said = desk.typed(&args, yes);
        assert_eq!(said.code, Some(0), "{yes:?}: {}", said.err);
        assert!(said.err.ends_with(&question), "{yes:?}: {}", said.err);
        std::fs::remove_file(desk.path("post/c1.response.pem")).unwrap();
    }
    assert_eq!(desk.state(), before);
}

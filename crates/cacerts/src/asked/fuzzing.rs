//! What a fuzzer claims about request files.

use super::RequestFile;
use crate::sign::fuzzing::review;
use crate::statement::Statement;

/// A request file asks for what its request does, and is shown as it is.
pub fn request(text: &str) {
    if let Ok(Some(_)) = Statement::read(super::TITLE, text) {
        assert!(text.contains(super::TITLE));
    }
    let Ok(file) = RequestFile::read(text) else { return };
    review(&file);
    let Some(asked) = file.asked else { return };
    let subject = asked.params().and_then(|params| params.subject().map_err(|it| it.to_string()));
    assert_eq!(subject.as_ref(), Ok(file.request.subject()));
    let said = crate::wish::Said::default();
    assert_eq!(asked.differences(&said), Vec::<String>::new());
    assert!(serde_json::to_string(&asked).is_ok());
}

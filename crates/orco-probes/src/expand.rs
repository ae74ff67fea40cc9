//! What is different from instance to instance in a probe's text.

use std::borrow::Cow;

use orco_core::probe::Target;

/// `${port}`, `${replica}` and `${service}` as this instance has them, if they have not been expanded
/// before.
pub(crate) fn expand<'a>(text: &'a str, target: &Target) -> Cow<'a, str> {
    if !text.contains("${") {
        return Cow::Borrowed(text);
    }
    let mut out = text.replace("${replica}", &target.replica.to_string());
    out = out.replace("${service}", target.service.as_str());
    if let Some(port) = target.default_port {
        out = out.replace("${port}", &port.to_string());
    }
    Cow::Owned(out)
}

//! Is there a variable for each secret, and is its value long enough to be told from other text?

use super::{Finding, of_service};
use crate::spec::{
    Service, code,
    value::nearest,
    vars::{fill, instance_vars},
};

/// Shorter values are not masked: they would be found in all kinds of text.
pub(crate) const SHORTEST: usize = 8;

pub(super) fn check(service: &Service, findings: &mut Vec<Finding>) {
    for (index, name) in service.secret.iter().enumerate() {
        let path = of_service(service.name.as_str()).key("secret").index(index);
        let Some(value) = service.env.get(name).and_then(Option::as_deref) else {
            let message = format!("`{name}` is none of its variables");
            let set = service.env.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name.as_str());
            let help = match nearest(name, set) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("set it under `env` (`{name}: ${{{name}}}` passes an inherited one on) or in an env file")
                }
            };
            findings.push(Finding::error(code::UNKNOWN_SECRET, path, message).help(help));
            continue;
        };
        let plain = fill(value, |_| Ok::<_, std::convert::Infallible>(String::new())).unwrap_or_default();
        if service.mask_secrets && instance_vars(value).is_empty() && plain.trim().len() < SHORTEST {
            let message = format!("the value of `{name}` is not masked: it has fewer than {SHORTEST} bytes");
            findings.push(Finding::warning(code::SHORT_SECRET, path, message).help("choose a longer one"));
        }
    }
}

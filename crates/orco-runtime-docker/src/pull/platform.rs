//! Whether an image is for the wanted platform.

use std::fmt;

/// Operating system, architecture and its variant, under the names that images use.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Platform {
    os: String,
    arch: String,
    variant: String,
}

impl Platform {
    /// From an image's own words; other names of an architecture are put right.
    pub(crate) fn new(os: &str, arch: &str, variant: &str) -> Self {
        let os = if os.is_empty() { "linux" } else { os }.to_ascii_lowercase();
        let (arch, variant) = (arch.to_ascii_lowercase(), variant.to_ascii_lowercase());
        let (arch, variant) = match (arch.as_str(), variant.as_str()) {
            ("x86_64" | "x86-64" | "amd64", v) => ("amd64", if v == "v1" { "" } else { v }),
            ("aarch64" | "arm64", v) => ("arm64", if matches!(v, "8" | "v8") { "" } else { v }),
            ("armhf", _) => ("arm", "v7"),
            ("armel", _) => ("arm", "v6"),
            ("i386" | "i686" | "x86" | "386", _) => ("386", ""),
            (arch, variant) => (arch, variant),
        };
        Self { os, arch: arch.to_owned(), variant: variant.to_owned() }
    }

    /// Reads `linux/arm64`, `linux/arm/v7` or an architecture alone; `None` if it is neither.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let word =
            |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(word) {
            return None;
        }
        match *parts.as_slice() {
            [arch] => Some(Self::new("linux", arch, "")),
            [os, arch] => Some(Self::new(os, arch, "")),
            [os, arch, variant] => Some(Self::new(os, arch, variant)),
            _ => None,
        }
    }

    /// Whether an image for `self` is one for `wanted`. A variant counts only where both name one.
    pub(crate) fn serves(&self, wanted: &Self) -> bool {
        self.os == wanted.os
            && self.arch == wanted.arch
            && (self.variant == wanted.variant || self.variant.is_empty() || wanted.variant.is_empty())
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn which_image_serves_which_wish() {
        let table = [
            ("linux/amd64", "linux/amd64", true),
            ("linux/amd64", "amd64", true),
            ("linux/amd64", "linux/x86_64", true),
            ("linux/amd64", "linux/arm64", false),
            ("linux/arm64/v8", "linux/arm64", true),
            ("linux/aarch64", "linux/arm64/v8", true),
            ("linux/arm/v7", "linux/arm", true),
            ("linux/arm/v7", "linux/arm/v6", false),
            ("windows/amd64", "linux/amd64", false),
        ];
        for (image, wanted, serves) in table {
            let (image, wish) = (Platform::parse(image).unwrap(), Platform::parse(wanted).unwrap());
            assert_eq!(image.serves(&wish), serves, "{image} for {wanted}");
        }
        for bad in ["", "/", "linux/", "a/b/c/d", "linux/am d64", "linux/a&b"] {
            assert_eq!(Platform::parse(bad), None, "{bad}");
        }
    }
}

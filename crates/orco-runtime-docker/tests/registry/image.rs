//! Images that no engine has seen, put into a registry past any engine.

use std::{
    fmt::Write as _,
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Registry;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// An image with layers of noise. It cannot be started; push `orco-test/busybox:1` for that.
#[derive(Clone, Debug)]
pub(crate) struct TestImage {
    layers: Vec<Vec<u8>>,
    os: &'static str,
    arch: &'static str,
}

impl TestImage {
    /// Layers of so many bytes, for this machine.
    pub(crate) fn of(sizes: &[usize]) -> Self {
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Self { layers: sizes.iter().map(|size| tar(*size)).collect(), os: "linux", arch }
    }

    /// For a platform.
    pub(crate) fn for_platform(mut self, os: &'static str, arch: &'static str) -> Self {
        (self.os, self.arch) = (os, arch);
        self
    }
}

/// A name in the registry that nothing else has.
pub(crate) fn unique(what: &str) -> String {
    format!("orco-test/{what}-{:x}-{:x}", process::id(), seed())
}

pub(super) fn put(registry: &Registry, repository: &str, tag: &str, image: &TestImage) {
    let manifest = put_parts(registry, repository, image).to_string();
    put_manifest(registry, repository, tag, MANIFEST, manifest.as_bytes());
}

pub(super) fn put_list(registry: &Registry, repository: &str, tag: &str, images: &[TestImage]) {
    let mut manifests = Vec::new();
    for image in images {
        let manifest = put_parts(registry, repository, image).to_string();
        let digest = digest(manifest.as_bytes());
        put_manifest(registry, repository, &digest, MANIFEST, manifest.as_bytes());
        let platform = json!({"os": image.os, "architecture": image.arch});
        manifests.push(json!({"mediaType": MANIFEST, "size": manifest.len(), "digest": digest, "platform": platform}));
    }
    let list = json!({"schemaVersion": 2, "mediaType": LIST, "manifests": manifests}).to_string();
    put_manifest(registry, repository, tag, LIST, list.as_bytes());
}

fn put_manifest(registry: &Registry, repository: &str, tag: &str, kind: &str, bytes: &[u8]) {
    let path = format!("/v2/{repository}/manifests/{tag}");
    let reply = registry.call("PUT", &path, &[("Content-Type", kind)], bytes);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// Config and layers; the manifest that names them.
fn put_parts(registry: &Registry, repository: &str, image: &TestImage) -> Value {
    let digests: Vec<String> = image.layers.iter().map(|layer| put_blob(registry, repository, layer)).collect();
    let config = json!({
        "architecture": image.arch, "os": image.os, "created": "2020-01-01T00:00:00Z",
        "config": {"Cmd": ["/noise"]},
        "rootfs": {"type": "layers", "diff_ids": digests},
        "history": digests.iter().map(|_| json!({"created": "2020-01-01T00:00:00Z"})).collect::<Vec<_>>(),
    })
    .to_string();
    let about = |kind: &str, bytes: usize, digest: &str| json!({"mediaType": kind, "size": bytes, "digest": digest});
    let layers: Vec<Value> =
        image.layers.iter().zip(&digests).map(|(bytes, digest)| about(LAYER, bytes.len(), digest)).collect();
    let digest = put_blob(registry, repository, config.as_bytes());
    json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": about(CONFIG, config.len(), &digest),
        "layers": layers,
    })
}

fn put_blob(registry: &Registry, repository: &str, bytes: &[u8]) -> String {
    let digest = digest(bytes);
    let begun = registry.call("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], &[]);
    assert_eq!(begun.status, 202, "{}", begun.text());
    let location = begun.header("location").unwrap();
    let path = location.find("/v2/").map(|at| &location[at..]).unwrap();
    let headers = [("Content-Type", "application/octet-stream")];
    let reply = registry.call("PUT", &format!("{path}&digest={digest}"), &headers, bytes);
    assert_eq!(reply.status, 201, "{}", reply.text());
    digest
}

fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// An archive with one file of noise, which no compression makes smaller.
fn tar(size: usize) -> Vec<u8> {
    let mut head = [0_u8; 512];
    let mut field = |at: usize, text: &str| head[at..at + text.len()].copy_from_slice(text.as_bytes());
    field(0, &format!("noise-{:x}", seed()));
    field(100, "0000644\0");
    field(108, "0000000\0");
    field(116, "0000000\0");
    field(124, &format!("{size:011o}\0"));
    field(136, "00000000000\0");
    field(148, "        ");
    field(156, "0");
    field(257, "ustar\u{0}00");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut all = head.to_vec();
    let mut state = seed() | 1;
    while all.len() < 512 + size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        all.extend_from_slice(&state.to_le_bytes());
    }
    all.truncate(512 + size);
    all.resize(all.len().next_multiple_of(512) + 1024, 0);
    all
}

/// Never the same twice on a machine.
fn seed() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let nanos = u64::from(since.subsec_nanos()) ^ (since.as_secs() << 30);
    nanos ^ (u64::from(process::id()) << 20) ^ NEXT.fetch_add(0x9e37_79b9, Ordering::Relaxed)
}

//! What the demo's programs share: arguments, HTTP/1.1 in its smallest form, and the store's client.

mod arguments;
mod http;
mod store;

pub use arguments::{argument, setting};
pub use http::{Request, Response, get, serve};
pub use store::Store;

/// How every program of the demo ends.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

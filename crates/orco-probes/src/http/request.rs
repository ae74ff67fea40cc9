//! What is asked.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header, uri::Authority};
use http_body_util::Empty;
use orco_core::{probe::Target, spec::ProbeSpec};

use crate::{
    address::{Place, own_port, place},
    expand::expand,
};

/// A request whose address is filled in per instance.
#[derive(Debug)]
pub(super) struct Question {
    url: Option<String>,
    path: String,
    port: Option<u16>,
    method: Method,
    headers: HeaderMap,
}

impl Question {
    /// Checks what the stack file says.
    pub(super) fn new(spec: &ProbeSpec) -> Result<Self, String> {
        let ProbeSpec::Http { url, path, port, method, headers, .. } = spec else {
            return Err("no http probe".to_owned());
        };
        let path = path.clone().unwrap_or_else(|| "/".to_owned());
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        let sample = |text: &str| text.replace("${port}", "1").replace("${replica}", "0").replace("${service}", "s");
        if let Some(url) = url {
            parse(&sample(url))?;
        }
        sample(&path).parse::<Uri>().map_err(|_| format!("`{path}` is no path"))?;
        let method = method.parse().map_err(|_| format!("`{method}` is no method"))?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().map_err(|_| format!("`{name}` is no header"))?;
            let value = HeaderValue::from_str(value).map_err(|_| format!("header `{name}` has a bad value"))?;
            map.append(name, value);
        }
        Ok(Self { url: url.clone(), path, port: *port, method, headers: map })
    }

    /// The request to this instance, and where it goes.
    pub(super) fn to(&self, target: &Target) -> Result<(Place, Request<Empty<Bytes>>), String> {
        let (place, host, path) = match &self.url {
            Some(url) => {
                let uri = parse(&expand(url, target))?;
                let Some(authority) = uri.authority() else { return Err("no host in the url".to_owned()) };
                let place = place(authority.host(), authority.port_u16().unwrap_or(80), target);
                let path = uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
                (place, authority.to_string(), path)
            }
            None => {
                let place = own_port(self.port, target).ok_or("no port to ask")?;
                let port = self.port.or(target.default_port).unwrap_or(80);
                (place, format!("localhost:{port}"), expand(&self.path, target).into_owned())
            }
        };
        let mut request = Request::new(Empty::new());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = path.parse().map_err(|_| format!("`{path}` is no path"))?;
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        let host = HeaderValue::from_str(&host).map_err(|_| format!("`{host}` is no host"))?;
        headers.entry(header::HOST).or_insert(host);
        headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static("orco-probe"));
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        Ok((place, request))
    }
}

/// A URL that can be asked.
fn parse(url: &str) -> Result<Uri, String> {
    let wrong = || format!("`{url}` is no url of the form `http://host:port/path`");
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err("https is not supported yet; ask over http".to_owned()),
        Some(_) | None => return Err(wrong()),
    }
    match uri.authority().map(Authority::as_str) {
        Some(authority) if authority.contains('@') => {
            Err("a user name in the url is not supported; use `headers`".to_owned())
        }
        Some(_) => Ok(uri),
        None => Err(wrong()),
    }
}

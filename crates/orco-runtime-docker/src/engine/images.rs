//! Images: what the engine has, and pulling more.

use bollard::{
    auth::DockerCredentials,
    models::{CreateImageInfo, ImageInspect},
    query_parameters::CreateImageOptionsBuilder,
};
use futures::{Stream, StreamExt, stream};

use crate::credentials::Login;

use super::{call::Call, client::Client, error::EngineError};

/// For what an image that the engine has is made; empty where it does not say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct ImageFor {
    /// The operating system.
    pub(crate) os: String,
    /// The architecture.
    pub(crate) arch: String,
    /// Its variant.
    pub(crate) variant: String,
}

/// What to pull.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PullOrder<'a> {
    /// Registry and repository, as written.
    pub(crate) name: &'a str,
    /// A tag or a digest.
    pub(crate) tag: &'a str,
    /// `os/arch[/variant]`; `None`: the engine's own.
    pub(crate) platform: Option<&'a str>,
    /// As whom; `None`: anonymously.
    pub(crate) login: Option<&'a Login>,
}

/// One line of a pull, in the engine's words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct PullLine {
    /// The layer it is about, if it is about one.
    pub(crate) layer: Option<String>,
    /// What goes on.
    pub(crate) status: String,
    /// Bytes that are there.
    pub(crate) current: Option<u64>,
    /// Bytes in all.
    pub(crate) total: Option<u64>,
}

impl Client {
    /// The image that the engine has under this name or id; `None` if it has none.
    ///
    /// # Errors
    /// When the engine cannot tell.
    pub(crate) async fn image(&self, name: &str) -> Result<Option<ImageFor>, EngineError> {
        let what = format!("look for image {name}");
        match self.call(what, |docker| async move { docker.inspect_image(name).await }).await {
            Ok(ImageInspect { os, architecture, variant, .. }) => Ok(Some(ImageFor {
                os: os.unwrap_or_default(),
                arch: architecture.unwrap_or_default(),
                variant: variant.unwrap_or_default(),
            })),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Pulls an image. What fails is the last item. Ends with the image there, as far as the engine says. Dropping it
    /// ends the pull. It has no time limit.
    pub(crate) fn pull(&self, order: PullOrder<'_>) -> impl Stream<Item = Result<PullLine, EngineError>> + use<> {
        let what = Call::from(format!("pull {}", order.name));
        let mut options = CreateImageOptionsBuilder::new().from_image(order.name).tag(order.tag);
        if let Some(platform) = order.platform {
            options = options.platform(platform);
        }
        let (options, login) = (options.build(), order.login.map(|login| credentials(order.name, login)));
        let client = self.clone();
        let opened = async move {
            match client.docker().await {
                Ok(docker) => {
                    let lines = docker.create_image(Some(options), None, login);
                    let lines = lines.map(move |item| read(item).map_err(|error| client.explain(&what, &error)));
                    lines.boxed()
                }
                Err(error) => stream::once(async move { Err(error) }).boxed(),
            }
        };
        stream::once(opened).flatten()
    }
}

fn read(item: Result<CreateImageInfo, bollard::errors::Error>) -> Result<PullLine, bollard::errors::Error> {
    // An error among the lines is one of the library's already.
    let CreateImageInfo { id, status, progress_detail, .. } = item?;
    let bytes = |count: Option<i64>| count.and_then(|n| u64::try_from(n).ok());
    let (current, total) = progress_detail.map_or((None, None), |p| (bytes(p.current), bytes(p.total)));
    Ok(PullLine { layer: id, status: status.unwrap_or_default(), current, total })
}

fn credentials(name: &str, login: &Login) -> DockerCredentials {
    let server = name.split_once('/').map(|(host, _)| host.to_owned());
    let empty = DockerCredentials { serveraddress: server, ..DockerCredentials::default() };
    match login {
        Login::Password { user, password } => {
            DockerCredentials { username: Some(user.clone()), password: Some(password.reveal().to_owned()), ..empty }
        }
        Login::IdentityToken(token) => DockerCredentials { identitytoken: Some(token.reveal().to_owned()), ..empty },
    }
}

//! Answers: JSON documents and errors.

use axum::{
    Json,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use orco_core::{
    brain::Refused,
    engine::{CommandError, NotDone},
};
use serde_json::json;

use crate::wire::{Code, ErrorBody, Outcome};

/// An error on its way out.
#[derive(Debug)]
pub(super) struct Failure(pub(super) ErrorBody);

impl Failure {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(ErrorBody::new(code, message))
    }

    /// The engine has ended under us.
    pub(super) fn ended() -> Self {
        Self::new(Code::ShuttingDown, "the engine has ended")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            Code::BadRequest | Code::InvalidStack => StatusCode::BAD_REQUEST,
            Code::NotFound | Code::UnknownService => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::NoInstance | Code::Refused => StatusCode::CONFLICT,
            Code::Unrecorded => StatusCode::INSUFFICIENT_STORAGE,
            Code::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self.0)).into_response()
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        let message = error.to_string();
        match error {
            CommandError::Refused(Refused::UnknownService { name, near }) => {
                let near = near.map(|n| n.to_string());
                Self(ErrorBody::new(Code::UnknownService, message).with(json!({ "name": name, "near": near })))
            }
            CommandError::Runtime { shell_code: Some(code), .. } => {
                Self(ErrorBody::new(Code::Refused, message).with(json!({ "shellCode": code })))
            }
            CommandError::NotRunning { .. } => Self::new(Code::NoInstance, message),
            CommandError::Unrecorded(_) | CommandError::Delayed(_) => Self::new(Code::Unrecorded, message),
            CommandError::Ended => Self::ended(),
            _ => Self::new(Code::Refused, message),
        }
    }
}

impl From<Result<(), NotDone>> for Outcome {
    fn from(done: Result<(), NotDone>) -> Self {
        let Err(not) = done else { return Self::DONE };
        let why = not.to_string();
        let service = match not {
            NotDone::Failed { service, .. } | NotDone::Stopped { service } => Some(service.to_string()),
            _ => None,
        };
        Self { done: false, service, why: Some(why) }
    }
}

pub(super) async fn not_found(uri: Uri) -> Failure {
    Failure::new(Code::NotFound, format!("no such path `{}`", uri.path()))
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Failure {
    Failure::new(Code::MethodNotAllowed, format!("`{}` does not know the method {method}", uri.path()))
}

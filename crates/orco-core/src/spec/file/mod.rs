//! The language of stack files: its fields, and how they become a [`Stack`](super::Stack).

mod compose;
mod dotenv;
mod fields;
mod fields_life;
mod lower;
mod lower_container;
mod lower_health;
mod lower_service;
mod shape;
mod suggest;
mod table;
mod view;

pub(crate) use dotenv::parse as parse_env_file;
pub(crate) use fields::STACK_FILE;
pub(crate) use lower::{EnvFiles, Lowered, join, lower};
pub(crate) use shape::{Shape, Use};
pub(crate) use suggest::misspelt;
pub(crate) use table::{Field, Table, Ty};

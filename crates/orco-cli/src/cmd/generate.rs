//! `schema`, `completions` and `man`: made from what there is.

use clap::CommandFactory;

use super::{Failure, pretty};
use crate::{
    args::{Cli, Completions, Man},
    exit::Exit,
    terminal,
};

pub fn schema() -> Result<Exit, Failure> {
    terminal::print(pretty(&orco_core::spec::schema()))?;
    Ok(Exit::DONE)
}

pub fn completions(args: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "orco", &mut script);
    terminal::print(script)?;
    Ok(Exit::DONE)
}

pub fn man(args: &Man) -> Result<Exit, Failure> {
    terminal::print(page(args.command.as_deref())?)?;
    Ok(Exit::DONE)
}

/// The page of the whole command, or of one subcommand under its full name.
fn page(command: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut whole = Cli::command();
    whole.build();
    let chosen = match command {
        None => whole,
        Some(name) => {
            let found = whole.find_subcommand(name).filter(|c| !c.is_hide_set());
            let found = found.ok_or_else(|| Failure::new(Exit::USAGE, format!("no command `{name}`")))?;
            found.clone()
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(chosen).render(&mut page)?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_visible_command_has_a_page() {
        for command in Cli::command().get_subcommands().filter(|c| !c.is_hide_set()) {
            let page = page(Some(command.get_name())).unwrap();
            assert!(String::from_utf8(page).unwrap().contains(".SH SYNOPSIS"), "{}", command.get_name());
        }
        // What comes with a later version has none.
        assert!(page(Some("promote")).is_err());
        let whole = String::from_utf8(page(None).unwrap()).unwrap();
        assert!(whole.contains("already runs"), "the exit codes belong into the manual");
    }
}

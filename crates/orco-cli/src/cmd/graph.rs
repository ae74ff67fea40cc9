//! `graph`.

use orco_api::{
    client::{Client, ClientError},
    wire::Graph,
};

use super::{Failure, pretty, stack, target};
use crate::{
    args::{Graph as Args, GraphFormat, StackArgs},
    exit::Exit,
    render, terminal,
};

pub async fn graph(args: Args, outer: &StackArgs) -> Result<Exit, Failure> {
    let which = args.stack.or(outer);
    let graph = match Client::new(&target::place(&which, false)?)?.graph().await {
        Ok(graph) => graph,
        // It does not run: the file says what would.
        Err(ClientError::NotRunning { .. }) => Graph::of(&stack::load(&target::file(&which)?)?),
        Err(error) => return Err(error.into()),
    };
    let format = if args.dot { GraphFormat::Dot } else { args.output };
    match format {
        GraphFormat::Text => terminal::print(render::graph_text(&graph, terminal::paint()))?,
        GraphFormat::Dot => terminal::print(render::dot(&graph))?,
        GraphFormat::Mermaid => terminal::print(render::mermaid(&graph))?,
        GraphFormat::Json => terminal::print(pretty(&graph))?,
    }
    Ok(Exit::DONE)
}

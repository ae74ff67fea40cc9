//! Fills the store, then ends.

use orco_demo::{Result, Store, argument};

const QUOTES: [&str; 5] = [
    "Simplicity is prerequisite for reliability. (Edsger W. Dijkstra)",
    "The cheapest, fastest, and most reliable components are those that aren't there. (Gordon Bell)",
    "A distributed system is one in which the failure of a computer you didn't even know existed can render your \
     own computer unusable. (Leslie Lamport)",
    "Controlling complexity is the essence of computer programming. (Brian Kernighan)",
    "The unavoidable price of reliability is simplicity. (Tony Hoare)",
];

fn main() -> Result<()> {
    let mut store = Store::connect(&argument("kv")?)?;
    for (number, quote) in QUOTES.iter().enumerate() {
        store.ask(&format!("SET quote.{number} {quote}"))?;
    }
    println!("wrote {} quotes", QUOTES.len());
    Ok(())
}

//! One holder, from its connection to its end.

use std::{io, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
};

use super::{
    house::House,
    wire::{Answer, Ask, line},
};

/// All that one holder may ever say: an end of memory for who says too much.
const MOST: u64 = 64 << 20;

/// Answers one holder until it is gone.
pub(super) async fn serve(stream: UnixStream, house: Arc<House>) {
    // However it ends, the holder is gone then.
    let _ = answer_all(stream, &house).await;
}

async fn answer_all(stream: UnixStream, house: &House) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read.take(MOST)).lines();
    while let Some(text) = lines.next_line().await? {
        let ask: Ask = serde_json::from_str(&text)?;
        // Both arms are cancel-safe: an answer that nobody waits for any more is not needed, `next_line` keeps what it
        // has read of a line.
        let answer = tokio::select! {
            biased;
            answer = answer(house, ask) => answer,
            // A holder asks one thing at a time: it has ended, perhaps with a last wish.
            next = lines.next_line() => {
                if let Some(text) = next? && let Ok(Ask::Keep { time }) = serde_json::from_str(&text) {
                    house.keep(time);
                }
                return Ok(());
            }
        };
        write.write_all(&line(&answer)).await?;
    }
    Ok(())
}

async fn answer(house: &House, ask: Ask) -> Answer {
    match ask {
        Ask::Hold { keep } => {
            house.keep_on_failure(keep);
            house.settled().await
        }
        Ask::Endpoints { service, port } => house.endpoints(&service, port.as_deref()).await,
        Ask::Change { service, change } => house.change(&service, change).await,
        Ask::Keep { time } => {
            house.keep(time);
            Answer::Done
        }
        Ask::End => {
            house.engine.shutdown().await;
            Answer::Done
        }
    }
}
